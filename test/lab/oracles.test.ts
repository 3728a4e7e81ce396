/**
 * The laboratory itself: its oracles must see what goes wrong, or a green fault test says nothing; and nothing of it
 * may outlive whoever opened it, however that ends.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { labNeeds, labSuite, TRIAL_MS } from '../pair/lab-suite.ts'
import { describeWith } from '../requirements.ts'
import { until } from '../system/appliance.ts'
import { allProcesses, tree } from './processes.ts'

describeWith([...labNeeds, 'keepalived'], 'the oracles of the laboratory', () => {
  const { trial } = labSuite({ system: 'keepalived' })

  it(
    'see the address that keepalived leaves behind when it is killed, and the other box that has it too',
    async () => {
      const report = await trial('kill-all')
      expect(report.after).toEqual(['a', 'b'])
      expect(report.during.overlap).toBeGreaterThan(0)
      expect(report.otherAnswers).toBeGreaterThan(0)
    },
    TRIAL_MS,
  )

  it(
    'see the gap while a cable is out',
    async () => {
      const report = await trial('link-down')
      expect(report.after).toEqual(['b'])
      expect(report.during.overlap).toBeLessThan(5)
      expect(report.during.addressGap).toBeGreaterThan(200)
    },
    TRIAL_MS,
  )
})

describeWith([...labNeeds, 'keepalived'], 'a laboratory whose owner is killed', () => {
  it('is gone with all its processes', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'twinline-lab-'))
    const program = `import { enterLab } from ${JSON.stringify(join(import.meta.dirname, 'enter.ts'))}
      const lab = await enterLab()
      const setting = { directory: ${JSON.stringify(directory)}, system: 'keepalived', members: ['a', 'b'],
        profile: 'normal', witness: false, driver: 'iproute2' }
      await lab.ask({ kind: 'open', setting })
      console.log(setting.directory)`
    const owner = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(owner.stdout, 'data', { signal: AbortSignal.timeout(30_000) })
    const all = tree(owner.pid ?? 0).map(({ pid }) => pid)
    expect(all.length).toBeGreaterThan(10)
    owner.kill('SIGKILL')
    const left = () => {
      const living = new Set(allProcesses().map(({ pid, command }) => (command === '' ? 0 : pid)))
      return all.filter((pid) => living.has(pid))
    }
    await until(() => left().length === 0, 'every process is gone', 10_000)
    rmSync(directory, { recursive: true })
  })
})
