/** Who is logged in, at which member, and what this user may do. Asked once at the start and after each reconnect. */
import { signal } from '@preact/signals'
import { get, type Problem, patch, remove, whenUnauthorized } from './api.ts'
import type { Role, SessionView } from './shapes.ts'
import { setLanguage, zone } from './words.ts'

export const session = signal<SessionView | undefined>(undefined)
/** The session has ended while a page is open. The page stays as it is, for what was typed on it, with a login over it. */
export const expired = signal(false)
/** Why the session could not be asked. */
export const sessionProblem = signal<Problem | undefined>(undefined)

const KNOWN = 'twinline-known'
/** Whether somebody was logged in when this browser was last here, who then most likely still is. */
export const wasLoggedIn = localStorage.getItem(KNOWN) !== null

export async function loadSession(): Promise<void> {
  const answer = await get<SessionView>('/session')
  if (!answer.ok) {
    sessionProblem.value = answer.problem
    return
  }
  sessionProblem.value = undefined
  zone.value = answer.value.appliance.zone
  const { user, setup } = answer.value
  if (user === null) localStorage.removeItem(KNOWN)
  else localStorage.setItem(KNOWN, 'yes')
  expired.value = user === null && !setup && session.peek()?.user != null
  if (expired.peek()) return
  if (user?.language !== undefined) await setLanguage(user.language)
  session.value = answer.value
}

/** For this browser at once, and for this user wherever the next login is. */
export async function chooseLanguage(wanted: string): Promise<void> {
  await setLanguage(wanted)
  const known = session.peek()
  if (known?.user == null) return
  const answer = await patch('/session', { language: wanted })
  if (answer.ok) await loadSession()
}

/** To the login page, whatever is typed here. */
export async function leave(): Promise<void> {
  const known = session.peek()
  if (known !== undefined) session.value = { ...known, user: null }
  await loadSession()
}

export async function logOut(): Promise<void> {
  await remove('/session')
  await leave()
}

whenUnauthorized(() => {
  // Asked anew, so that a member that does not know this user shows its login and not an empty page.
  if (session.peek()?.user != null) void loadSession()
})

const ranks: Record<Role, number> = { viewer: 0, operator: 1, admin: 2 }

/** Whether the user has at least this role: `viewer` reads, `operator` sends and acts, `admin` also changes settings. */
export function may(role: Role): boolean {
  const user = session.value?.user
  return user != null && ranks[user.role] >= ranks[role]
}

/** Name for people of a member, by its node name. */
export function memberName(node: string): string {
  const here = session.value?.appliance
  if (here?.node === node) return here.name
  return session.value?.pair?.members.find((member) => member.node === node)?.name ?? node
}
