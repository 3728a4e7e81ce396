/** Who made a change, for people: `http:` and the name of a token, `user:` and the name of a user, or the appliance. */
import { words } from './words.ts'

export function authorText(author: string): string {
  const [kind = '', ...rest] = author.split(':')
  const name = rest.join(':')
  const whole = words.maybe(`author.${author}`)
  return whole ?? (name === '' ? author : (words.maybe(`author.of.${kind}`, { name }) ?? author))
}
