/** A browser as far as sessions go: keeps cookies, and says of each request which page made it. */
import { type Answer, answerOf } from './stand-ins.ts'

export class Browser {
  readonly base: string
  cookies = new Map<string, string>()

  constructor(base: string) {
    this.base = base
  }

  async call(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = { origin: this.base },
  ): Promise<Answer> {
    const init: RequestInit = { method, headers: { ...this.#cookie(), ...headers } }
    if (body !== undefined) {
      init.body = JSON.stringify(body)
      init.headers = { ...init.headers, 'content-type': 'application/json' }
    }
    const response = await fetch(`${this.base}/api/v1${path}`, init)
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (name === undefined || value === undefined) continue
      if (value === '') this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    return answerOf(response)
  }

  #cookie(): Record<string, string> {
    const pairs = [...this.cookies].map(([name, value]) => `${name}=${value}`)
    return pairs.length === 0 ? {} : { cookie: pairs.join('; ') }
  }

  /** The same browser, looking at another address. */
  at(base: string): Browser {
    const other = new Browser(base)
    other.cookies = new Map(this.cookies)
    return other
  }
}
