/** Starts and stops Modbus: the server serves on every member, registers are watched by the active one. */
import type { ModbusConfig } from '#config/modbus.ts'
import { createPoller, type Poller, type PollerOptions } from './poller.ts'
import { type ModbusServer, type ServerOptions, startModbusServer } from './server.ts'

export type ModbusOptions = Omit<PollerOptions, 'poll'> &
  Omit<ServerOptions, 'config' | 'polls' | 'acknowledge'> & { config: ModbusConfig }

export interface ModbusIntake {
  /** `modbus://host:port` of the server, the port resolved; empty without a server. */
  addresses: string[]
  /** This member became the active one, or no longer is. */
  follow(active: boolean): void
  stop(): Promise<void>
}

/** @throws CodedError `address-in-use` and the like when the server's address cannot be used */
export async function startModbus(options: ModbusOptions): Promise<ModbusIntake> {
  const { config } = options
  const poller: Poller | undefined =
    config.poll.length === 0 ? undefined : createPoller({ ...options, poll: config.poll })
  const server: ModbusServer | undefined =
    config.server === undefined
      ? undefined
      : await startModbusServer({
          ...options,
          config: config.server,
          polls: () => poller?.status() ?? { alarms: 0, lost: 0, awaiting: 0 },
          acknowledge: () => poller?.acknowledge() ?? Promise.resolve(true),
        })
  return {
    addresses: server === undefined ? [] : [server.address],
    follow(active) {
      if (active) poller?.start()
      else void poller?.stop()
    },
    async stop() {
      await server?.stop()
      await poller?.stop()
    },
  }
}
