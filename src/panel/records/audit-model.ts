/** Pages of the audit log from its newest record back, out of an interface that reads forward from a number. Pure. */

/** @param first the number of the oldest record that is shown, or one more than the newest @returns what to ask for */
export function pageStart(first: number, page: number): { after: number; limit: number } {
  const after = Math.max(0, first - 1 - page)
  return { after, limit: Math.max(1, first - 1 - after) }
}
