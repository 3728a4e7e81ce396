/**
 * One connection of smtp-server, with what its own lacks: recipients with spaces in them (RFC 5321 4.1.2 quotes them,
 * and there are devices that do not), senders without angle brackets, and an end to connections that never end.
 */
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { SMTPConnection, type SMTPConnectionOptions } from 'smtp-server/lib/smtp-connection.js'

/** From the first byte to the last; mail servers that keep connections for more mail give up sooner themselves. */
const LONGEST_MS = 10 * 60_000
/** How often a connection that is over its time and waits for our answer is looked at again. */
const AGAIN_MS = 1_000

/** Stands for a space, which the parser takes for the end of the address; in no address (Unicode, private use). */
const SPACE = '\ue020'

type Parsed = ReturnType<SMTPConnection['_parseAddressCommand']>

class MailConnection extends SMTPConnection {
  /** As it was accepted: what STARTTLS puts around it cannot be reset. */
  readonly #accepted: Socket | TLSSocket
  readonly #longestMs: number
  #deadline: NodeJS.Timeout | undefined

  constructor(
    server: SMTPServer,
    socket: Socket | TLSSocket,
    options: SMTPConnectionOptions | null | undefined,
    longestMs: number,
  ) {
    super(server, socket, options)
    this.#accepted = socket
    this.#longestMs = longestMs
  }

  /** As the library's, without the tenth of a second in which it waits for clients that talk before they are greeted. */
  override init(): void {
    this._setListeners(() => {
      const { maxClients = 0 } = this._server.options
      if (this._server.connections.size > maxClients)
        this.send(421, 'busy: too many connections, try again later')
      else this.connectionReady()
    })
    this.#endAfter(this.#longestMs)
    this.#accepted.once('close', () => clearTimeout(this.#deadline))
  }

  #endAfter(ms: number): void {
    this.#deadline = setTimeout(() => {
      // Whoever has sent its mail whole and waits for the answer gets it: it would send the mail again.
      if (this._handlerPending || waitsForAnswer(this)) this.#endAfter(AGAIN_MS)
      else this.send(421, 'connection-too-long: connect again')
    }, ms)
    this.#deadline.unref()
  }

  reset(): void {
    this.#accepted.resetAndDestroy()
  }

  override _parseAddressCommand(name: string, command: Buffer | string): Parsed {
    const parsed = super._parseAddressCommand(name, withoutSpaces(command.toString()))
    return parsed === false ? false : { ...parsed, address: parsed.address.replaceAll(SPACE, ' ') }
  }
}

/** The mail is here as a whole, and its answer is not out yet. */
export const waitsForAnswer = ({ _dataStream, _parser }: SMTPConnection): boolean =>
  Boolean(_dataStream && _parser && !_parser._dataMode)

/** `MAIL FROM: root@plc` as `MAIL FROM: <root@plc>`, and every space within the brackets shielded. */
function withoutSpaces(command: string): string {
  const bracketed = /^[^<>]*$/.test(command)
    ? command.replace(/(:\s*)([^\s@<>]+@[^\s@<>]+)/, '$1<$2>')
    : command
  return bracketed.replace(/<[^<>]*>/, (address) => address.replaceAll(' ', SPACE))
}

export class MailServer extends SMTPServer {
  readonly #longestMs: number
  readonly #open = new Set<MailConnection>()

  /** @param longestMs how long a connection may last */
  constructor(options: SMTPServerOptions, longestMs = LONGEST_MS) {
    super(options)
    this.#longestMs = longestMs
  }

  override connect(socket: Socket | TLSSocket, options?: SMTPConnectionOptions | null): void {
    const connection = new MailConnection(this, socket, options, this.#longestMs)
    this.connections.add(connection)
    this.#open.add(connection)
    socket.once('close', () => this.#open.delete(connection))
    connection.on('error', (error: Error) => this.emit('error', error))
    connection.init()
  }

  /** Resets every connection to one of this machine's addresses, so that clients know at once that it is gone from here. */
  reset(address: string): void {
    for (const connection of this.#open) if (connection.localAddress === address) connection.reset()
  }
}
