/** The three roles with what each may do. */
import type { Signal } from '@preact/signals'
import { words as shell } from '../components/words.ts'
import type { NewUser } from './shapes.ts'
import { words } from './words.ts'

export function RoleChoice({ role }: { role: Signal<NewUser['role']> }) {
  return (
    <fieldset class="choices choices-tall">
      <legend class="field-label">{words.t('role')}</legend>
      {(['viewer', 'operator', 'admin'] as const).map((one) => (
        <label class="choice" key={one}>
          <input
            type="radio"
            name="role"
            checked={role.value === one}
            onChange={() => {
              role.value = one
            }}
          />
          <span>
            <strong>{shell.t(`user.${one}`)}</strong> <span class="quiet">{words.t(`role.${one}`)}</span>
          </span>
        </label>
      ))}
    </fieldset>
  )
}
