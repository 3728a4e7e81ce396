/** The `documents` section: what is taken to be faxed, and what it is printed on. Every member of a pair has its own. */
import type { Section } from './section.ts'
import { formatSize, parseSize } from './values.ts'

export interface DocumentConfig {
  /** Pages of one document. */
  maxPages: number
  /** Bytes of one document. */
  maxSize: number
  /** What pages are fitted to. */
  paper: 'a4' | 'letter' | 'legal'
}

export const documentDefaults: DocumentConfig = { maxPages: 200, maxSize: 20e6, paper: 'a4' }

/** A whole document passes through the memory of a process while it is looked at. */
const LARGEST = 100e6

export function readDocuments(root: Section): DocumentConfig | undefined {
  const section = root.section('documents')
  if (!root.has('documents')) return undefined
  const config: DocumentConfig = {
    maxPages: section.whole('maxPages', documentDefaults.maxPages, { min: 1, max: 1_000 }),
    maxSize: section.parsed('maxSize', parseDocumentSize) ?? documentDefaults.maxSize,
    paper: section.choice('paper', ['a4', 'letter', 'legal']) ?? documentDefaults.paper,
  }
  section.finish()
  return config
}

function parseDocumentSize(text: string) {
  const read = parseSize(text)
  if ('value' in read && read.value <= LARGEST) return read
  return { allowed: `write a size such as 20MB, from 1MB to ${formatSize(LARGEST)}` }
}
