/**
 * Why a mail, or a part of the dialogue before it, is not taken: the reply of RFC 5321 4.2 and a code of docs/errors.md.
 * 4xx says that the same mail may be taken later, so the client keeps it; 5xx that it never will be.
 */

export class Refusal extends Error {
  readonly code: string
  /** What smtp-server answers with. */
  readonly responseCode: number

  /** @param text says what is wrong and what is allowed; people read it in what their mail server sends back */
  constructor(reply: number, code: string, text: string) {
    super(`${code}: ${text}`)
    this.responseCode = reply
    this.code = code
  }
}

export const notNow = (code: string, text: string, reply: 451 | 452 = 451): Refusal =>
  new Refusal(reply, code, `${text}; nothing was stored, try again later`)
