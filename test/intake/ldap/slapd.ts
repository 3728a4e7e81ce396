/** A real slapd (OpenLDAP) on a loopback port, with the people that a test puts into it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'ldapts'

export const suffix = 'dc=example,dc=org'
export const admin = `cn=admin,${suffix}`
export const adminPassword = 'secret'

export interface Slapd {
  url: string
  start(): Promise<void>
  stop(): Promise<void>
  add(uid: string, mobile: string): Promise<void>
  remove(uid: string): Promise<void>
  /** Stops it for good. */
  end(): Promise<void>
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

export async function startSlapd(): Promise<Slapd> {
  const directory = await mkdtemp(join(tmpdir(), 'slapd-'))
  await mkdir(join(directory, 'db'))
  const url = `ldap://127.0.0.1:${await freePort()}`
  const schemas = ['core', 'cosine', 'inetorgperson'].map((name) => `include /etc/ldap/schema/${name}.schema`)
  await writeFile(
    join(directory, 'slapd.conf'),
    `${schemas.join('\n')}
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile ${directory}/slapd.pid
database mdb
maxsize 16777216
suffix "${suffix}"
rootdn "${admin}"
rootpw ${adminPassword}
directory ${directory}/db
`,
  )
  let server: ChildProcess | undefined

  async function start(): Promise<void> {
    const child = spawn('/usr/sbin/slapd', ['-f', join(directory, 'slapd.conf'), '-h', url, '-d', '0'], {
      stdio: 'ignore',
    })
    server = child
    for (;;) {
      if (child.exitCode !== null) throw new Error(`slapd ended with ${child.exitCode}`)
      const client = new Client({ url })
      try {
        await client.bind(admin, adminPassword)
        return
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 50))
      } finally {
        await client.unbind().catch(() => {})
      }
    }
  }

  async function stop(): Promise<void> {
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return
    const exited = once(server, 'exit')
    server.kill('SIGTERM')
    await exited
  }

  async function change(work: (client: Client) => Promise<unknown>): Promise<void> {
    const client = new Client({ url })
    await client.bind(admin, adminPassword)
    await work(client)
    await client.unbind()
  }

  await start()
  await change((client) =>
    client.add(suffix, { objectClass: ['dcObject', 'organization'], dc: 'example', o: 'Example' }),
  )
  return {
    url,
    start,
    stop,
    add: (uid, mobile) =>
      change((client) =>
        client.add(`uid=${uid},${suffix}`, {
          objectClass: 'inetOrgPerson',
          cn: `Person ${uid}`,
          sn: uid,
          mobile,
        }),
      ),
    remove: (uid) => change((client) => client.del(`uid=${uid},${suffix}`)),
    async end() {
      await stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
