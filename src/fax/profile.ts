/**
 * Profiles of fax modems: which class is preferred and what is known of a family's faults, as data with a reason
 * (firmware-config/modems/fax/NAME.yaml; docs/fax-modems.md describes every key). A modem without one is asked for everything.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import type { XStatic } from 'typebox/schema'
import { invalid, readChecked } from '#lines/profile.ts'
import type { FaxClass } from './contract.ts'

const object = <const P extends object, const R extends readonly (keyof P & string)[]>(
  properties: P,
  required: R,
) => ({ type: 'object', additionalProperties: false, required, properties }) as const

const text = { type: 'string', minLength: 2 } as const
const why = { type: 'string', minLength: 5 } as const
const command = { type: 'string', pattern: '^AT.{1,60}$' } as const
const list = <const S extends object>(items: S) => ({ type: 'array', items, minItems: 1 }) as const
const flag = object({ value: { type: 'boolean' }, why }, ['value', 'why'])

const fileSchema = object(
  {
    name: { type: 'string', pattern: '^[a-z0-9][a-z0-9-]*$' },
    match: list(text),
    usb: list({ type: 'string', pattern: '^[0-9a-f]{4}:[0-9a-f]{4}$' }),
    source: text,
    proven: { enum: ['manual', 'hardware'] },
    classes: object({ value: list({ enum: ['1', '2', '2.0'] }), why }, ['value', 'why']),
    init: list(object({ command, why }, ['command', 'why'])),
    callerId: command,
    distinctive: command,
    flow: object({ value: { enum: ['rtscts'] }, why }, ['value', 'why']),
    class2: object({ mr: flag, mmr: flag, ecm: flag }, []),
  },
  ['name', 'match', 'source', 'proven', 'classes'],
)

type ProfileFile = XStatic<typeof fileSchema>

/** What a modem's Class 2 or 2.0 is not used for, although it lists it. */
export interface Class2Faults {
  mr?: boolean
  mmr?: boolean
  ecm?: boolean
}

/** As it goes to the process of a line. */
export interface FaxProfile {
  name: string
  /** Regular expressions, upper and lower case alike; one that is found in what the modem says of itself suffices. */
  match: readonly string[]
  /** `vvvv:pppp` of the USB devices that are this modem. */
  usb: readonly string[]
  source: string
  proven: 'manual' | 'hardware'
  /** In the order of preference. */
  classes: readonly FaxClass[]
  /** Sent while the modem is prepared, in order. */
  init: readonly string[]
  /** Makes it tell the caller; absent: the usual commands are tried. */
  callerId?: string
  /** Makes it tell kinds of ringing apart. */
  distinctive?: string
  /** Flow control by wires is not to be had otherwise. */
  needsWires: boolean
  class2Faults: Class2Faults
}

const isProfile = new Ajv().compile<ProfileFile>(fileSchema)

/**
 * @param directory of modem profiles; those of fax modems are in `fax` below it
 * @throws CodedError `profile-invalid` naming file and key
 */
export function loadFaxProfiles(directory: string): FaxProfile[] {
  const place = join(directory, 'fax')
  return readdirSync(place)
    .filter((file) => file.endsWith('.yaml'))
    .sort()
    .map((file) => complete(readChecked(join(place, file), isProfile), join(place, file)))
}

function complete(file: ProfileFile, path: string): FaxProfile {
  file.match.forEach((pattern, at) => {
    try {
      new RegExp(pattern, 'i')
    } catch (error) {
      throw invalid(path, `/match/${at}`, String(error))
    }
  })
  const { name, match, usb = [], source, proven, classes, init = [], callerId, distinctive } = file
  const denied = (fault: { value: boolean } | undefined) => fault?.value === false
  const { mr, mmr, ecm } = file.class2 ?? {}
  return {
    name,
    match,
    usb,
    source,
    proven,
    classes: classes.value,
    init: init.map((step) => step.command),
    ...(callerId === undefined ? {} : { callerId }),
    ...(distinctive === undefined ? {} : { distinctive }),
    needsWires: file.flow !== undefined,
    class2Faults: { mr: denied(mr), mmr: denied(mmr), ecm: denied(ecm) },
  }
}

/**
 * @param said what the modem answered to questions about itself
 * @param usb `vvvv:pppp` of its device; empty where it has none
 */
export const faxProfileOf = (
  profiles: readonly FaxProfile[],
  said: readonly string[],
  usb: string,
): FaxProfile | undefined =>
  profiles.find((profile) =>
    profile.match.some((pattern) => said.some((line) => new RegExp(pattern, 'i').test(line))),
  ) ?? profiles.find((profile) => profile.usb.includes(usb))
