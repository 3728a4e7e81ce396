/**
 * The certificate that https.listen shows: the operator's own, or one that the appliance makes for itself at its
 * first start and keeps. EC P-256, self-signed, for clients that pin it or are told to trust it.
 */
import { existsSync } from 'node:fs'
import { open, readFile, rename } from 'node:fs/promises'
import { hostname, networkInterfaces } from 'node:os'
import { dirname, join } from 'node:path'
import { CodedError, errorText } from '#core/errors.ts'

export interface Pem {
  certificate: string
  key: string
}

export interface CertificateSource {
  data: string
  node: string
  certificate?: string
  key?: string
}

async function read(path: string, field: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new CodedError('certificate-unreadable', `${field}: cannot read ${path}: ${errorText(error)}`, {
      field,
      cause: error,
    })
  }
}

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

async function make(node: string): Promise<Pem> {
  // Loaded here because 4 MB of certificate code are of no use to an appliance that has its certificate.
  await import('reflect-metadata')
  const x509 = await import('@peculiar/x509')
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const names = new Set([node, hostname(), 'localhost'].filter((name) => /^[A-Za-z0-9.-]{1,63}$/.test(name)))
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  // A link-local address carries a zone that means nothing elsewhere.
  const ips = new Set(addresses.filter(({ scopeid }) => !scopeid).map(({ address }) => address))
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: [{ CN: [node] }],
      keys,
      signingAlgorithm: algorithm,
      // A box without a battery-backed clock may make it in 1970, and RFC 5280 4.1.2.5 gives this date to
      // certificates that have no good end.
      notBefore: new Date('2020-01-01T00:00:00Z'),
      notAfter: new Date('9999-12-31T23:59:59Z'),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension([
          ...[...names].map((value) => ({ type: 'dns' as const, value })),
          ...[...ips].map((value) => ({ type: 'ip' as const, value })),
        ]),
      ],
    },
    crypto,
  )
  const key = await crypto.subtle.exportKey('pkcs8', keys.privateKey)
  return {
    certificate: certificate.toString('pem'),
    key: x509.PemConverter.encode(key, 'PRIVATE KEY'),
  }
}

/** @throws CodedError when a file cannot be read, or only one of the two is given */
export async function certificateFor(source: CertificateSource): Promise<Pem> {
  const { data, node, certificate, key } = source
  if (certificate !== undefined && key !== undefined) {
    return {
      certificate: await read(certificate, 'https.certificate'),
      key: await read(key, 'https.key'),
    }
  }
  if (certificate !== undefined || key !== undefined) {
    const field = certificate === undefined ? 'https.certificate' : 'https.key'
    throw new CodedError('certificate-incomplete', `${field} is missing: certificate and key go together`, {
      field,
    })
  }
  const own = {
    certificate: join(data, 'https-certificate.pem'),
    key: join(data, 'https-key.pem'),
  }
  // The certificate is written last, so where it is there, its key is too.
  if (existsSync(own.certificate)) {
    return {
      certificate: await read(own.certificate, 'data'),
      key: await read(own.key, 'data'),
    }
  }
  const made = await make(node)
  await write(own.key, made.key)
  await write(own.certificate, made.certificate)
  return made
}
