/** Which appliance is to send what comes from a source: the token `monitoring` is the source `http:monitoring`. Pure. */
import type { Section } from './section.ts'
import { matching, parseNodeName } from './values.ts'

export interface SourceConfig {
  /** As messages carry it, such as `http:monitoring`; `http:*` is every one that begins so. */
  source: string
  /** The member that sends its messages while it can. */
  prefer: string
}

const parseSource = matching(
  /^[A-Za-z0-9][^\s*]{0,99}\*?$/,
  'write a source as messages carry it, such as http:monitoring, or http:* for all of HTTP',
)

export const readSources = (root: Section): SourceConfig[] =>
  root.sections('sources').flatMap((section) => {
    for (const key of ['source', 'prefer']) section.required(key)
    const source = section.parsed('source', parseSource)
    const prefer = section.parsed('prefer', parseNodeName)
    section.finish()
    return source === undefined || prefer === undefined ? [] : [{ source, prefer }]
  })

/** The first that fits. */
export const preferredFor = (sources: readonly SourceConfig[], source: string): string | undefined =>
  sources.find(({ source: pattern }) =>
    pattern.endsWith('*') ? source.startsWith(pattern.slice(0, -1)) : source === pattern,
  )?.prefer
