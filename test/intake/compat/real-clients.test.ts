/** The other side as Debian ships it: apprise, and Prometheus Alertmanager with its webhook. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { describeWith } from '../../requirements.ts'
import { until } from '../../system/appliance.ts'
import { type Rig, startRig } from './rig.ts'

let rig: Rig
beforeAll(async () => {
  rig = await startRig('sim://gsm?reports=none', false)
})
afterAll(() => rig.stop())

describeWith(['apprise'], 'apprise', () => {
  const notify = (url: string, ...more: string[]) =>
    spawnSync('apprise', ['-vv', '-t', 'Title', '-b', 'Größe 5 > 4', ...more, url], {
      encoding: 'utf8',
      timeout: 60_000,
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
    })

  test('smseagle:// with several recipients in one request', async () => {
    const url = `smseagle://${rig.token}@${rig.host}:${rig.port}/+491700000001/@ops/?batch=yes&status=no`
    const { status, stderr } = notify(url)
    expect(status, stderr).toBe(0)
    const [newest] = (await rig.messages()).filter(({ source }) => source === 'smseagle:monitoring')
    expect(newest?.text).toBe('Title\r\nGröße 5 > 4')
  })

  test('smseagle:// with a wrong token says why', () => {
    const { status, stdout, stderr } = notify(`smseagle://wrong@${rig.host}:${rig.port}/+491700000001`)
    expect(status).not.toBe(0)
    expect(stdout + stderr).toMatch(/Invalid access token|Failed to send/)
  })

  test.each(['json', 'form', 'xml'])('%s://', async (scheme) => {
    const url = `${scheme}://user:${rig.token}@${rig.host}:${rig.port}/compat/apprise`
    const before = await rig.newest()
    const { status, stderr } = notify(url, '-n', 'failure')
    expect(status, stderr).toBe(0)
    const [newest] = await rig.messages()
    expect(newest?.id).not.toBe(before)
    expect(newest).toMatchObject({ text: 'Title\nGröße 5 > 4', priority: 1, source: 'apprise:monitoring' })
  })
})

describeWith(['alertmanager'], 'Alertmanager', () => {
  let ended: () => Promise<void> = async () => {}
  afterEach(() => ended())

  async function freePort(): Promise<number> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    server.close()
    await once(server, 'close')
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  async function startAlertmanager(): Promise<string> {
    const port = await freePort()
    const config = join(rig.directory, 'alertmanager.yml')
    writeFileSync(
      config,
      `
route: { receiver: duty, group_by: [cluster], group_wait: 200ms, group_interval: 300ms, repeat_interval: 1s }
receivers:
  - name: duty
    webhook_configs:
      - url: http://${rig.host}:${rig.port}/compat/alertmanager
        http_config: { authorization: { credentials: ${rig.token} } }
`,
    )
    const child = spawn(
      'prometheus-alertmanager',
      [
        `--config.file=${config}`,
        `--storage.path=${join(rig.directory, 'alertmanager')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--cluster.listen-address=',
      ],
      { stdio: 'ignore' },
    )
    ended = async () => {
      const exit = once(child, 'exit')
      child.kill('SIGKILL')
      await exit
    }
    const base = `http://127.0.0.1:${port}`
    await until(async () => {
      try {
        return (await fetch(`${base}/-/ready`)).ok
      } catch {
        return false
      }
    }, 'Alertmanager is ready')
    return base
  }

  test('a group is one message, its end another; what is repeated within minutes is none', async () => {
    const base = await startAlertmanager()
    const post = (alerts: object[]) =>
      fetch(`${base}/api/v2/alerts`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(alerts),
      })
    const startsAt = new Date().toISOString()
    const alert = (name: string, severity: string) => ({
      labels: { alertname: name, cluster: 'north', instance: 'host1', severity },
      annotations: { summary: `${name} > 90 %` },
      startsAt,
    })
    const texts = async () =>
      (await rig.messages())
        .filter(({ source }) => source === 'alertmanager:monitoring')
        .map(({ text }) => text)
    await post([alert('HighCpu', 'critical'), alert('DiskFull', 'warning')])
    await until(async () => (await texts()).length >= 1, 'the group arrives')
    const [firing] = await rig.messages()
    expect(firing?.text).toMatch(/^FIRING 2: /)
    expect(firing?.text).toContain('HighCpu host1: HighCpu > 90 %')
    expect(firing).toMatchObject({ priority: 0, deliveries: [{ to: '+4917000000001' }] })
    const repeated = async () =>
      Number(
        /alertmanager_notifications_total\{integration="webhook"\} (\d+)/.exec(
          await (await fetch(`${base}/metrics`)).text(),
        )?.[1],
      )
    await until(async () => (await repeated()) >= 2, 'Alertmanager repeats it')
    expect(await texts()).toHaveLength(1)
    const endsAt = new Date().toISOString()
    await post([
      { ...alert('HighCpu', 'critical'), endsAt },
      { ...alert('DiskFull', 'warning'), endsAt },
    ])
    await until(
      async () => (await texts()).some((text) => text.startsWith('RESOLVED 2: ')),
      'its end arrives',
    )
  })
})

test('a notice in the shape of Grafana goes to its own recipients and is cut to its limit', async () => {
  const body = JSON.stringify({
    receiver: 'sms',
    status: 'firing',
    orgId: 1,
    alerts: [
      {
        status: 'firing',
        labels: { alertname: 'DatasourceError', grafana_folder: 'x' },
        annotations: { summary: 's'.repeat(200) },
        startsAt: '2026-11-21T10:00:00Z',
        endsAt: '0001-01-01T00:00:00Z',
        generatorURL: 'http://g/alerting',
        fingerprint: '1',
        silenceURL: 'http://g/s',
        dashboardURL: '',
        panelURL: '',
        values: { B: 1 },
        valueString: "[ var='B' value=1 ]",
      },
    ],
    groupLabels: {},
    commonLabels: {},
    commonAnnotations: {},
    externalURL: 'http://g/',
    version: '1',
    groupKey: '{}:{}',
    truncatedAlerts: 0,
    title: '[FIRING:1] ',
    state: 'alerting',
    message: '**Firing**',
  })
  const headers = { Authorization: 'Basic BASIC', 'Content-Type': 'application/json' }
  const first = await rig.post('/compat/grafana', body, headers)
  expect(first).toMatchObject({ status: 200, body: expect.stringContaining('queued') })
  const [newest] = await rig.messages()
  expect(newest?.text).toBe(`FIRING 1: DatasourceError: ${'s'.repeat(70)}...`)
  expect(newest?.deliveries).toHaveLength(2)
  expect((await rig.post('/compat/grafana', body, headers)).body).toBe(first.body)
  const bad = await rig.post('/compat/grafana', '{"alerts":[{"status":"x"}]}', headers)
  expect(bad.status).toBe(400)
  expect(JSON.parse(bad.body)).toMatchObject({ code: 'not-allowed', field: 'alerts[0].status' })
  expect((await rig.post('/compat/grafana', body)).status).toBe(401)
})
