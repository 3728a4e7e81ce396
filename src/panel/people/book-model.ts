/** Contacts and groups as lists to search, and slips in an id that can be seen while it is typed. Pure. */

const holds = (word: string) => (value: unknown) =>
  typeof value === 'string'
    ? value.toLowerCase().includes(word)
    : Array.isArray(value) && value.some((one) => String(one).toLowerCase().includes(word))

/** Those that hold every word that was typed, anywhere. A number is found with or without its spaces. */
export function matching<T extends object>(items: readonly T[], search: string): T[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  const digits = search.replaceAll(/[^0-9+]/g, '')
  return items.filter((item) => {
    const values = Object.values(item)
    if (words.every((word) => values.some(holds(word)))) return true
    return (
      digits.length >= 4 &&
      values.some((value) => typeof value === 'string' && value.replaceAll(/[^0-9+]/g, '').includes(digits))
    )
  })
}

export type IdSlip = 'empty' | 'letters' | 'taken'

/** As the appliance reads ids, which are the same in capital and small letters. */
export function idSlip(id: string, taken: readonly string[]): IdSlip | undefined {
  if (id === '') return 'empty'
  if (!/^[A-Za-z][A-Za-z0-9._-]{0,62}$/.test(id)) return 'letters'
  return taken.some((one) => one.toLowerCase() === id.toLowerCase()) ? 'taken' : undefined
}
