/** Who made a change, for people: `http:` and the name of a token, `user:` and the name of a user, or the appliance. */
import { memberName, session } from '../shell/session.ts'
import { words } from './words.ts'

export function authorText(author: string): string {
  const members = session.value?.pair?.members.map(({ node }) => node) ?? []
  if (members.includes(author)) return memberName(author)
  const [kind = '', ...rest] = author.split(':')
  const name = rest.join(':')
  const whole = words.maybe(`author.${author}`)
  return whole ?? (name === '' ? author : (words.maybe(`author.of.${kind}`, { name }) ?? author))
}
