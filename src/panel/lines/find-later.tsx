/**
 * The search for modems, at the end of the page of the lines: much code and many words belong to it and few need it, so
 * it comes when the page stands.
 */
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { Notice } from '../components/layout.tsx'
import { words } from '../components/words.ts'
import { language } from '../shell/words.ts'
import type { FindModems } from './find-modems.tsx'

interface Part {
  view: typeof FindModems
}

async function loaded(): Promise<Part> {
  const { FindModems: view, findWords } = await import('./find-modems.tsx')
  await Promise.all(findWords.map((dictionary) => dictionary.load(language.peek())))
  return { view }
}

export function FindLater(props: { reload: () => void }) {
  const part = useSignal<Part | 'failed' | undefined>(undefined)
  useEffect(() => {
    loaded().then(
      (found) => {
        part.value = found
      },
      () => {
        part.value = 'failed'
      },
    )
  }, [])
  if (part.value === undefined) return null
  if (part.value === 'failed') return <Notice tone="bad">{words.t('pageFailedText')}</Notice>
  const { view: View } = part.value
  return <View {...props} />
}
