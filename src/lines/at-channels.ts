/**
 * The AT channels of one supervised line, one after another: each opened port gets one that knows the chatter of the
 * modem's profile, and what announces a start of the modem moves the supervisor. Made for lines/supervisor.ts.
 */
import { AtChannel } from './at-channel.ts'
import type { Unsolicited } from './at-syntax.ts'
import type { AtTrace } from './at-trace.ts'
import type { Port } from './ports.ts'
import type { Profile } from './profile.ts'
import { StartWatch } from './start-watch.ts'

export interface AtChannelsOptions {
  /** What is known of a modem before it has been identified. */
  profile: Profile
  /** ms of the monotonic clock */
  monotonic: () => number
  unsolicited: (news: Unsolicited) => void
  /** `restart`: the modem has lost its state; otherwise it goes on with a start that is known. */
  started: (line: string, restart: boolean) => void
}

export class AtChannels {
  readonly #options: AtChannelsOptions
  readonly #starts = new StartWatch()
  #profile: Profile
  #newest: AtChannel | undefined

  constructor(options: AtChannelsOptions) {
    this.#options = options
    this.#profile = options.profile
  }

  open(port: Pick<Port, 'write'>, trace: AtTrace): AtChannel {
    const { monotonic, unsolicited } = this.#options
    const channel = new AtChannel({
      write: (text) => port.write(text),
      trace,
      now: monotonic,
      handlers: { unsolicited, started: (line) => this.#started(line) },
    })
    channel.listenFor(this.#profile)
    this.#newest = channel
    return channel
  }

  /** The modem has been identified. */
  listenFor(profile: Profile): void {
    this.#profile = profile
    this.#newest?.listenFor(profile)
  }

  #started(line: string): boolean {
    const { boot, timeouts } = this.#profile
    const restart = this.#starts.isRestart(line, boot, timeouts.boot, this.#options.monotonic())
    // After the channel has ended what was under way, so that preparing again is not among it.
    queueMicrotask(() => this.#options.started(line, restart))
    return restart
  }
}
