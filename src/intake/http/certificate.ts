/**
 * The certificate that https.listen shows: the operator's own, or one that the appliance makes for itself at its
 * first start and keeps. EC P-256, self-signed, for clients that pin it or are told to trust it.
 */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { hostname, networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { writeDurably } from '#core/durable-file.ts'
import { CodedError, errorText } from '#core/errors.ts'
import { type Pem, selfSigned } from '#core/self-signed.ts'

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
  const made = await selfSigned({ name: node, calls: false, ...callNames(node) })
  await writeDurably(own.key, made.key)
  await writeDurably(own.certificate, made.certificate)
  return made
}

/** Whatever a client may call this appliance. */
function callNames(node: string): { names: string[]; addresses: string[] } {
  const names = [node, hostname(), 'localhost'].filter((name) => /^[A-Za-z0-9.-]{1,63}$/.test(name))
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  // A link-local address carries a zone that means nothing elsewhere.
  const ips = addresses.filter(({ scopeid }) => !scopeid).map(({ address }) => address)
  return { names: [...new Set(names)], addresses: [...new Set(ips)] }
}
