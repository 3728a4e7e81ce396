/** On top of every page: which member answers, at which address, in which role, and whether the news is live. */
import { useSignal } from '@preact/signals'
import { Button } from '../components/button.tsx'
import { Dialog } from '../components/dialog.tsx'
import { Facts } from '../components/layout.tsx'
import { Status, StatusShape, type Tone } from '../components/status.tsx'
import { words } from '../components/words.ts'
import { now } from './clock.ts'
import { connection, status } from './live.ts'
import { Mark } from './navigation.tsx'
import { chooseLanguage, expired, logOut, session } from './session.ts'
import { theme, themes } from './theme.ts'
import { duration, language, languages, time, zone, zoneName } from './words.ts'

const tones: Record<string, Tone> = {
  active: 'ok',
  single: 'ok',
  standby: 'busy',
  isolated: 'warn',
  away: 'off',
  unknown: 'off',
  silent: 'bad',
  error: 'bad',
}

/** The role of a member as operators know it: Active (Primary), Standby (Backup), Error. */
export function RoleStatus({ role }: { role: string }) {
  return <Status tone={tones[role] ?? 'off'}>{words.maybe(`role.${role}`) ?? role}</Status>
}

export function Header() {
  const known = session.value
  if (known === undefined) return null
  const { name, address, role } = status.value?.appliance ?? known.appliance
  return (
    <header class="top">
      <a class="top-mark" href="/" aria-label={words.t('toHome')}>
        <Mark />
      </a>
      <p class="plate">
        <span class="plate-name">{name}</span>
        <span class="plate-address figures">{address}</span>
        <RoleStatus role={role} />
        {known.user === null ? null : <LiveState />}
      </p>
      <Preferences />
    </header>
  )
}

function LiveState() {
  const lost = connection.value.since !== undefined
  const clock = time(now.value)
  return (
    <span class={lost ? 'live live-lost' : 'live'}>
      <StatusShape tone={lost ? 'bad' : 'ok'} />
      <span class="figures">
        {lost ? '–' : clock.slice(0, 5)}
        {lost ? null : <span class="live-seconds">{clock.slice(5)}</span>}
      </span>
      <span class="live-zone">{zoneName(now.value)}</span>
    </span>
  )
}

/** Stays on the screen for as long as the news is not live: what is seen may be old. */
export function LostNotice() {
  const { since, refused } = connection.value
  if (since === undefined || session.value?.user === null || expired.value) return null
  const at = time(since)
  return (
    <p class="lost" role="alert">
      <StatusShape tone="bad" />
      <span>
        {refused === undefined
          ? words.t('lost', { time: at, span: duration(now.value - since) })
          : words.t('refused', { time: at, reason: refused })}
      </span>
    </p>
  )
}

/** Europe/Berlin (CET); UTC is called like that alone. */
function zoneText(): string {
  const name = zoneName(now.value)
  return name === zone.value ? name : `${zone.value} (${name})`
}

const languageNames: Record<string, string> = { en: 'English', de: 'Deutsch' }

function Preferences() {
  const open = useSignal(false)
  const known = session.value
  if (known === undefined) return null
  const { user, appliance } = known
  return (
    <>
      <Button
        kind="quiet"
        icon={user === null ? 'configuration' : 'people'}
        label={`${words.t('preferences')}: ${user?.name ?? languageNames[language.value]}`}
        onClick={() => {
          open.value = true
        }}
      >
        <span class="top-user">{user?.name ?? languageNames[language.value]}</span>
      </Button>
      {open.value ? (
        <Dialog
          title={words.t('preferences')}
          onClose={() => {
            open.value = false
          }}
        >
          <div class="stack">
            <Facts
              rows={[
                [
                  words.t('role'),
                  user === null ? undefined : `${user.name} · ${words.t(`user.${user.role}`)}`,
                ],
                [words.t('zone'), zoneText()],
                [words.t('software'), words.t('version', { version: appliance.version })],
              ]}
            />
            <label class="field">
              <span class="field-label">{words.t('language')}</span>
              <select
                class="input"
                value={language.value}
                onChange={(event) => void chooseLanguage(event.currentTarget.value)}
              >
                {languages.map((name) => (
                  <option key={name} value={name}>
                    {languageNames[name]}
                  </option>
                ))}
              </select>
            </label>
            <fieldset class="choices">
              <legend class="field-label">{words.t('theme')}</legend>
              {themes.map((name) => (
                <label key={name} class="choice">
                  <input
                    type="radio"
                    name="theme"
                    checked={theme.value === name}
                    onChange={() => {
                      theme.value = name
                    }}
                  />
                  <span>{words.t(`theme.${name}`)}</span>
                </label>
              ))}
            </fieldset>
            {user === null ? null : (
              <div class="actions actions-end">
                <a
                  class="button button-quiet"
                  href="/people/me"
                  onClick={() => {
                    open.value = false
                  }}
                >
                  {words.t('ownPassword')}
                </a>
                <Button
                  onClick={async () => {
                    open.value = false
                    await logOut()
                  }}
                >
                  {words.t('logOut')}
                </Button>
              </div>
            )}
          </div>
        </Dialog>
      ) : null}
    </>
  )
}
