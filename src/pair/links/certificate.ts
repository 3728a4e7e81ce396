/**
 * The certificate by which the other members know this one: EC P-256, self-signed, made at the first start of a paired
 * appliance and kept in `<data>/pair/`. Its fingerprint is what the others pin; name and dates mean nothing to them,
 * since a box without a battery-backed clock may make it in 1970 and check it in 1970.
 */
import { createHash, X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { CodedError, errorText } from '#core/errors.ts'
import type { Identity } from './contract.ts'

/** SHA-256 of a certificate (PEM or DER), hex in lower case. @throws when it is no certificate */
export const fingerprintOf = (certificate: string | Buffer): string =>
  createHash('sha256').update(new X509Certificate(certificate).raw).digest('hex')

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path)
  await directory.sync().finally(() => directory.close())
}

/** Whole or not at all, also across a power cut. */
async function write(path: string, text: string): Promise<void> {
  const file = await open(`${path}.new`, 'w', 0o600)
  try {
    await file.chmod(0o600)
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
  await syncDirectory(dirname(path))
}

async function make(node: string): Promise<{ certificate: string; key: string }> {
  // Loaded here because 4 MB of certificate code are of no use to an appliance that has its certificate.
  await import('reflect-metadata')
  const x509 = await import('@peculiar/x509')
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: [{ CN: [node] }],
      keys,
      signingAlgorithm: algorithm,
      // RFC 5280 4.1.2.5: the date of certificates that have no good end.
      notBefore: new Date('2020-01-01T00:00:00Z'),
      notAfter: new Date('9999-12-31T23:59:59Z'),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([
          x509.ExtendedKeyUsage.serverAuth,
          x509.ExtendedKeyUsage.clientAuth,
        ]),
      ],
    },
    crypto,
  )
  const key = await crypto.subtle.exportKey('pkcs8', keys.privateKey)
  return { certificate: certificate.toString('pem'), key: x509.PemConverter.encode(key, 'PRIVATE KEY') }
}

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
      const made = await make(node)
      await write(paths.key, made.key)
      await write(paths.certificate, made.certificate)
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
