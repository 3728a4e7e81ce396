/** What a change changes, line by line and setting by setting: + and − beside the colours, so that nothing is told by colour alone. */
import { sameValue } from './draft.ts'
import { shortened, valueDiff } from './value-text.ts'
import { words } from './words.ts'

export interface Change {
  path: string
  before?: unknown
  after?: unknown
}

export function DiffView({ changes, name }: { changes: readonly Change[]; name: (path: string) => string }) {
  return (
    <div class="stack">
      {changes.map((change) => (
        <section key={change.path} class="diff" aria-label={name(change.path)}>
          <h3>
            {name(change.path)}{' '}
            {name(change.path) === change.path ? null : <code class="quiet">{change.path}</code>}
          </h3>
          <DiffLines change={change} />
        </section>
      ))}
    </div>
  )
}

const signs = { same: ' ', gone: '−', new: '+' } as const

function DiffLines({ change: { before, after } }: { change: Change }) {
  // Masked alike, and yet told as a change.
  if (before !== undefined && sameValue(before, after)) return <p>{words.t('secretReplaced')}</p>
  const lines = shortened(valueDiff(before, after))
  return (
    <pre class="diff-lines" translate={false}>
      {lines.map((line, index) =>
        line === undefined ? (
          <span key={index} class="diff-gap">
            {'⋯\n'}
          </span>
        ) : (
          <span key={index} class={`diff-${line.mark}`}>
            {line.mark === 'same' ? null : (
              <span class="unseen">{words.t(line.mark === 'new' ? 'lineNew' : 'lineGone')}</span>
            )}
            {`${signs[line.mark]} ${line.text}\n`}
          </span>
        ),
      )}
      {after === undefined || after === null ? <span class="diff-gap">{words.t('toFile')}</span> : null}
    </pre>
  )
}
