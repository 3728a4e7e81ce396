/** twinline help and twinline version. */
import { readFileSync } from 'node:fs'
import { exit } from './outcome.ts'

const text = `twinline: alerts in over the network, SMS and faxes out over serial modems, nothing lost

  twinline run [--config FILE]        run this appliance (without a file: a trial with a simulated modem)
  twinline send -i DEST -m TEXT       hand over a message; --fax FILE a document; several --host are tried in order
  twinline status                     an appliance at a glance
  twinline line list|mute|test|…      lines: switch, mute, try, watch one speak with its modem
  twinline modems                     what is plugged in and is no line yet: signal, SIM, what to write for it
  twinline totals [--since 24h]       traffic per appliance and line
  twinline token create|list|revoke   API tokens, whether the appliance runs or not
  twinline user list|add|password|…   the people who log in at the panel
  twinline pair invite|join|status|…  two appliances as one: make, look at, switch, practise
  twinline recover                    after an outage: bring both to the same, and say what happened
  twinline config get|set|history …   the settings that all members of a pair share; a change on trial, export
  twinline contacts list|import       contacts and groups, and tables of them
  twinline storm [folded]             what the storm guard holds back
  twinline check --config FILE        look at a configuration without running it
  twinline inbound dead|replay|…      what received messages were to bring about and did not; the stop list
  twinline audit verify|list          who did what, and whether the record of it is whole
  twinline backup --out FILE          everything that this appliance is, as one file under a passphrase
  twinline restore FILE               bring a backup back; status, release: what it had queued
  twinline support --out FILE         logs, configuration and state for whoever helps, secrets masked
  twinline witness --listen ADDR      the third vote of a pair, on any third box
  twinline simulate                   simulated modems, to try things with
  twinline demo [kill|freeze|cut|heal]   a whole pair on this machine, to break
  twinline help, twinline version

Each command explains itself with --help. Commands that talk to an appliance take --config FILE (the one on this
machine) or --host URL --token TOKEN (any), or TWINLINE_HOST and TWINLINE_TOKEN; --json prints for programs.

Exit codes:
  0  accepted, done
  1  refused: the appliance or the command said no, and stderr says why
  2  usage: the command line or the configuration is wrong
  3  unreachable: no appliance could be reached, or none would take it now
  4  unknown outcome: a request went out and its answer never came`

export async function help(): Promise<number> {
  console.log(text)
  return exit.accepted
}

export function programVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return version
}

export async function version(): Promise<number> {
  console.log(`twinline ${programVersion()} (Node ${process.versions.node})`)
  return exit.accepted
}
