/**
 * keepalived in the same laboratory, for the column that twinline is compared with: VRRPv3, defaults but for the
 * advertisement interval. Its responder stays alive when it is hit, as that of a real box does.
 */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { MemberName } from './contract.ts'
import { INTERFACE, spawnAt, VIP } from './network.ts'
import { signal, tree } from './processes.ts'

export class KeepalivedBox {
  readonly name: MemberName
  readonly #directory: string
  #child: ChildProcess | undefined

  constructor(name: MemberName, directory: string, advert: number) {
    this.name = name
    this.#directory = join(directory, name)
    mkdirSync(this.#directory, { recursive: true })
    writeFileSync(
      join(this.#directory, 'keepalived.conf'),
      `global_defs {
  vrrp_version 3
}
vrrp_instance lab {
  state BACKUP
  interface ${INTERFACE}
  virtual_router_id 51
  priority ${name === 'a' ? 150 : 100}
  advert_int ${advert}
  virtual_ipaddress {
    ${VIP}/24
  }
}
`,
    )
  }

  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  get pids(): number[] {
    return tree(this.#child?.pid ?? 0).map(({ pid }) => pid)
  }

  async start(): Promise<void> {
    const output = openSync(join(this.#directory, 'log'), 'a')
    const own = (name: string) => join(this.#directory, name)
    // What a killed one has left would keep the next one from starting.
    for (const name of ['pid', 'vrrp.pid']) rmSync(own(name), { force: true })
    const files = ['-f', own('keepalived.conf'), '-p', own('pid'), '-r', own('vrrp.pid')]
    this.#child = spawnAt(this.name, ['keepalived', '-n', '-l', '-P', ...files], {
      cwd: this.#directory,
      stdio: ['ignore', output, output],
    })
  }

  async kill(pids: readonly number[] = this.pids): Promise<void> {
    const child = this.#child
    const exited = child && this.running ? once(child, 'exit') : undefined
    // Stopped first: a child that outlives its parent by a moment gives the address up in order.
    signal(pids, 'SIGSTOP')
    signal(pids, 'SIGKILL')
    await exited
  }

  async stop(): Promise<void> {
    const child = this.#child
    if (!child || !this.running) return
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    await exited
  }
}
