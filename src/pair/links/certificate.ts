/**
 * The certificate by which the other members know this one: EC P-256, self-signed, made at the first start of a paired
 * appliance and kept in `<data>/pair/`. Its fingerprint is what the others pin; name and dates mean nothing to them,
 * since a box without a battery-backed clock may make it in 1970 and check it in 1970.
 */
import { createHash, X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeDurably } from '#core/durable-file.ts'
import { CodedError, errorText } from '#core/errors.ts'
import { selfSigned } from '#core/self-signed.ts'
import type { Identity } from './contract.ts'

/** SHA-256 of a certificate (PEM or DER), hex in lower case. @throws when it is no certificate */
export const fingerprintOf = (certificate: string | Buffer): string =>
  createHash('sha256').update(new X509Certificate(certificate).raw).digest('hex')

/**
 * The identity of this member, made when there is none.
 * @param directory `<data>/pair`; made (0700) where it is missing
 * @throws CodedError `pair-identity-unusable` when it cannot be read, made or written
 */
export async function identityFor(directory: string, node: string): Promise<Identity> {
  const paths = { certificate: join(directory, 'certificate.pem'), key: join(directory, 'key.pem') }
  try {
    // The certificate is written last, so where it is there, its key is too.
    if (!existsSync(paths.certificate)) {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      const made = await selfSigned({ name: node, calls: true })
      await writeDurably(paths.key, made.key)
      await writeDurably(paths.certificate, made.certificate)
    }
    const certificate = await readFile(paths.certificate, 'utf8')
    const key = await readFile(paths.key, 'utf8')
    return { certificate, key, fingerprint: fingerprintOf(certificate) }
  } catch (error) {
    throw new CodedError(
      'pair-identity-unusable',
      `cannot use this member's certificate in ${directory}: ${errorText(error)}`,
      { cause: error },
    )
  }
}
