/**
 * A device that is asked over Modbus TCP or RTU, by modbus-serial: one question at a time, each with a deadline. A
 * connection on which a question stayed unanswered is given up, so that no late answer is taken for the next one's.
 */
import type ModbusClient from 'modbus-serial'
import type { ModbusDevice, ModbusTable } from '#config/modbus.ts'
import { errorText } from '#core/errors.ts'

type Client = InstanceType<typeof ModbusClient.default>

export interface Question {
  unit: number
  table: ModbusTable
  address: number
  /** How many registers or bits. */
  count: number
}

export type Answer =
  /** As many words as asked for; a bit is 0 or 1. */
  { words: number[] } | { why: string }

export interface Device {
  /** Never rejects, and settles within a few seconds. One at a time. */
  ask(question: Question): Promise<Answer>
  close(): Promise<void>
}

const CONNECT_MS = 3_000
const ANSWER_MS = 1_000
const CLOSE_MS = 1_000

export function createDevice(device: ModbusDevice): Device {
  let current: Client | undefined

  async function connected(): Promise<Client> {
    if (current?.isOpen === true) return current
    await close()
    // Loaded here, because an appliance that asks nobody does without it.
    const { default: modbus } = await import('modbus-serial')
    const client = new modbus.default()
    // What goes wrong shows in the answer; without a listener it would end the program.
    client.on('error', () => {})
    current = client
    client.setTimeout(ANSWER_MS)
    const opening =
      device.scheme === 'tcp'
        ? client.connectTCP(device.host, { host: device.host, port: device.port })
        : client.connectRTUBuffered(device.path, { baudRate: device.baud, parity: device.parity })
    await within(opening, CONNECT_MS, 'no connection in time')
    return client
  }

  async function close(): Promise<void> {
    const client = current
    current = undefined
    if (client === undefined) return
    const closed = new Promise<void>((resolve) => client.destroy(() => resolve()))
    // Closing a port that never opened is not always told.
    await within(closed, CLOSE_MS, 'closed late').catch(() => {})
  }

  return {
    async ask(question) {
      try {
        const client = await connected()
        client.setID(question.unit)
        // The library has a deadline of its own; this one also covers an answer that it drops without a word.
        const words = await within(read(client, question), ANSWER_MS * 2, 'no answer in time')
        return words.length >= question.count
          ? { words: words.slice(0, question.count) }
          : { why: 'the answer is too short' }
      } catch (error) {
        // An exception is an answer (Modbus V1.1b3 section 7): the connection is sound.
        if (!isException(error)) await close()
        return { why: errorText(error) }
      }
    },
    close,
  }
}

const isException = (error: unknown): boolean =>
  error instanceof Error && 'modbusCode' in error && error.modbusCode !== undefined

async function read(client: Client, { table, address, count }: Question): Promise<number[]> {
  switch (table) {
    case 'coil':
      return (await client.readCoils(address, count)).data.map(Number)
    case 'discrete':
      return (await client.readDiscreteInputs(address, count)).data.map(Number)
    case 'input':
      return (await client.readInputRegisters(address, count)).data
    case 'holding':
      return (await client.readHoldingRegisters(address, count)).data
  }
}

async function within<T>(work: Promise<T>, ms: number, why: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(why)), ms)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
