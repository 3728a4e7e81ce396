/**
 * Who answers at the common address: asked over the network as a client would. Method: the address of the pair is one
 * of this machine, where the appliance itself, something else, or nobody listens.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { pairStandIn } from './pair-stand-in.ts'
import { type Appliance, startAppliance } from './stand-ins.ts'

/** The body, whatever it has. */
const fields = (body: unknown): Record<string, unknown> => ({ ...Object(body) })

async function paired(address: string | undefined): Promise<Appliance> {
  const pair = pairStandIn()
  if (address === undefined) delete pair.status.vip
  else pair.status.vip = { address, driver: 'external', here: true }
  const appliance = await startAppliance({}, { pair })
  onTestFinished(() => appliance.stop())
  return appliance
}

test('the member that answers says its name and role', async () => {
  const appliance = await paired('127.0.0.1')
  const { status, json } = await appliance.call('GET', '/api/v1/pair/address')
  expect(status, appliance.errors.join()).toBe(200)
  expect(json).toMatchObject({ address: '127.0.0.1', role: 'active', ms: expect.any(Number) })
  expect(fields(json)['url']).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/)
  expect(fields(json)['node']).toEqual(expect.any(String))
  expect(fields(json)['text']).toBeUndefined()
})

test('nobody, and something that is no member, are told as such', async () => {
  const appliance = await paired('127.0.0.77')
  const silent = await appliance.call('GET', '/api/v1/pair/address')
  expect(silent.json).toMatchObject({ address: '127.0.0.77', text: expect.stringContaining('ECONNREFUSED') })
  expect(fields(silent.json)['node']).toBeUndefined()

  const { port } = new URL(String(fields(silent.json)['url']))
  const other = createServer((_request, response) => response.end('<h1>It works</h1>'))
  await new Promise<void>((resolve) => other.listen(Number(port), '127.0.0.77', resolve))
  onTestFinished(() => void other.close())
  expect((other.address() as AddressInfo).port).toBe(Number(port))
  const { json } = await appliance.call('GET', '/api/v1/pair/address')
  expect(json).toMatchObject({ text: 'something else than a member answers there' })
  expect(fields(json)['node']).toBeUndefined()
})

test('without a common address there is nothing to ask', async () => {
  const appliance = await paired(undefined)
  const { status, json } = await appliance.call('GET', '/api/v1/pair/address')
  expect([status, fields(json)['code']]).toEqual([404, 'address-none'])
})
