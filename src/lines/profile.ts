/**
 * Modem profiles: how one family of modems differs from 3GPP TS 27.005 and 27.007, as data with a reason
 * (firmware-config/modems/NAME.yaml; docs/modems.md describes every key).
 *
 * `generic.yaml` holds every default and fits any modem; another profile states what differs. A file that is wrong is
 * refused with its name and key, never half used.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Ajv, type ValidateFunction } from 'ajv'
import type { XStatic } from 'typebox/schema'
import { parse } from 'yaml'
import { durationPattern, parseDuration } from '#core/duration.ts'
import { CodedError, errorText } from '#core/errors.ts'

/** An object that may have these properties and no others. */
const object = <const P extends object, const R extends readonly (keyof P & string)[]>(
  properties: P,
  required: R,
) => ({ type: 'object', additionalProperties: false, required, properties }) as const

const text = { type: 'string', minLength: 2 } as const
const why = { type: 'string', minLength: 5 } as const
const flag = { type: 'boolean' } as const
const span = { type: 'string', pattern: durationPattern } as const
const command = { type: 'string', pattern: '^AT.{1,120}$' } as const
const list = <const S extends object>(items: S) => ({ type: 'array', items }) as const
const quirk = object({ value: flag, why }, ['value', 'why'])

const fileSchema = object(
  {
    name: { type: 'string', pattern: '^[a-z0-9][a-z0-9-]*$' },
    match: object({ manufacturer: { type: 'string' }, model: { type: 'string' } }, ['manufacturer', 'model']),
    source: text,
    proven: { enum: ['manual', 'simulator', 'hardware'] },
    init: list(object({ command, why, required: flag }, ['command', 'why'])),
    queries: object({ iccid: command, pinRetries: command }, []),
    indications: command,
    boot: list(text),
    ignore: list(text),
    timeouts: object({ command: span, prompt: span, submit: span, boot: span, network: span }, []),
    recovery: list(command),
    quirks: object({ acknowledge: quirk, moreMessages: quirk }, []),
  },
  ['name', 'match', 'source', 'proven'],
)

type ProfileFile = XStatic<typeof fileSchema>

/** A profile with every default filled in. */
export interface Profile {
  name: string
  match: { manufacturer: RegExp; model: RegExp }
  source: string
  proven: 'manual' | 'simulator' | 'hardware'
  /** Sent after the common preparation, in order. */
  init: readonly { command: string; why: string; required: boolean }[]
  queries: { iccid: string; pinRetries: string }
  /** The +CNMI setting. */
  indications: string
  /** Starts of lines that mean: the modem has restarted; in the order in which it sends them. */
  boot: readonly string[]
  /** Starts of lines with no meaning for us. */
  ignore: readonly string[]
  /** ms. `submit`: Ctrl-Z to the answer; `boot`: reset to the SIM being usable; `network`: until registered. */
  timeouts: {
    command: number
    prompt: number
    submit: number
    boot: number
    network: number
  }
  /** Reset commands, the mildest first. */
  recovery: readonly string[]
  quirks: {
    /** Use AT+CSMS=1 and +CNMA. */
    acknowledge: boolean
    /** Use AT+CMMS between the parts of a long message. */
    moreMessages: boolean
  }
}

export interface Profiles {
  /** By name; undefined when there is none. */
  named(name: string): Profile | undefined
  /** The profile for a modem by its +CGMI and +CGMM answers; the generic one when no other fits. */
  matching(manufacturer: string, model: string): Profile
  readonly names: readonly string[]
}

/**
 * Reads every profile of a directory.
 * @throws CodedError `profile-invalid` naming file and key
 */
export function loadProfiles(directory: string): Profiles {
  const files = readdirSync(directory)
    .filter((file) => file.endsWith('.yaml'))
    .sort()
  const read = files.map((file) => ({
    file,
    content: readProfile(join(directory, file)),
  }))
  const generic = read.find(({ content }) => content.name === 'generic')
  if (!generic) throw invalid(join(directory, 'generic.yaml'), '', 'the generic profile is missing')
  const defaults = complete(generic.content, generic.content, join(directory, generic.file))
  const others = read
    .filter((entry) => entry !== generic)
    .map(({ file, content }) => complete(content, generic.content, join(directory, file)))
  const all = [...others, defaults]
  return {
    named: (name) => all.find((profile) => profile.name === name),
    matching: (manufacturer, model) =>
      others.find(({ match }) => match.manufacturer.test(manufacturer) && match.model.test(model)) ??
      defaults,
    names: all.map((profile) => profile.name),
  }
}

const isProfile = new Ajv().compile<ProfileFile>(fileSchema)

const readProfile = (path: string): ProfileFile => readChecked(path, isProfile)

/**
 * One file of profiles, of whatever kind of modem.
 * @throws CodedError `profile-invalid`
 */
export function readChecked<T extends { name: string }>(path: string, isValid: ValidateFunction<T>): T {
  let content: unknown
  try {
    content = parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw invalid(path, '', errorText(error))
  }
  if (!isValid(content)) {
    const [first] = isValid.errors ?? []
    // A key too many or too few is named by a parameter of the error, not by its path.
    const key = first?.params['additionalProperty'] ?? first?.params['missingProperty']
    const where = key === undefined ? first?.instancePath : `${first?.instancePath}/${key}`
    throw invalid(path, where ?? '', first?.message ?? 'not a profile')
  }
  if (content.name !== basename(path, '.yaml')) throw invalid(path, '/name', 'must be the name of the file')
  return content
}

function complete(file: ProfileFile, generic: ProfileFile, path: string): Profile {
  const required = <T>(key: string, value: T | undefined): T => {
    if (value === undefined) throw invalid(path, key, 'is missing, and the generic profile has none')
    return value
  }
  const time = (key: keyof NonNullable<ProfileFile['timeouts']>): number => {
    const text = required(`/timeouts/${key}`, file.timeouts?.[key] ?? generic.timeouts?.[key])
    return required(`/timeouts/${key}`, parseDuration(text))
  }
  const expression = (key: 'manufacturer' | 'model'): RegExp => {
    try {
      return new RegExp(file.match[key], 'i')
    } catch (error) {
      throw invalid(path, `/match/${key}`, errorText(error))
    }
  }
  return {
    name: file.name,
    match: {
      manufacturer: expression('manufacturer'),
      model: expression('model'),
    },
    source: file.source,
    proven: file.proven,
    init: (file.init ?? generic.init ?? []).map((step) => ({
      ...step,
      required: step.required ?? false,
    })),
    queries: {
      iccid: required('/queries/iccid', file.queries?.iccid ?? generic.queries?.iccid),
      pinRetries: required('/queries/pinRetries', file.queries?.pinRetries ?? generic.queries?.pinRetries),
    },
    indications: required('/indications', file.indications ?? generic.indications),
    boot: file.boot ?? required('/boot', generic.boot),
    ignore: file.ignore ?? generic.ignore ?? [],
    timeouts: {
      command: time('command'),
      prompt: time('prompt'),
      submit: time('submit'),
      boot: time('boot'),
      network: time('network'),
    },
    recovery: file.recovery ?? required('/recovery', generic.recovery),
    quirks: {
      acknowledge: (file.quirks?.acknowledge ?? generic.quirks?.acknowledge)?.value ?? false,
      moreMessages: (file.quirks?.moreMessages ?? generic.quirks?.moreMessages)?.value ?? false,
    },
  }
}

export function invalid(path: string, key: string, text: string): CodedError {
  const where = key === '' ? path : `${path}: ${key.slice(1).replaceAll('/', '.')}`
  return new CodedError('profile-invalid', `${where}: ${text}`, key === '' ? {} : { field: key.slice(1) })
}
