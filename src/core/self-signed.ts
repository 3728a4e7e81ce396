/** Certificates that an appliance makes for itself: EC P-256, self-signed, without an end. */

export interface Pem {
  certificate: string
  key: string
}

export interface Subject {
  name: string
  /** It calls others too, and does not only answer. */
  calls: boolean
  /** Under which it is called; none where its fingerprint is all that counts. */
  names?: readonly string[]
  /** IP addresses under which it is called. */
  addresses?: readonly string[]
}

export async function selfSigned({ name, calls, names = [], addresses = [] }: Subject): Promise<Pem> {
  // Loaded here because 4 MB of certificate code are of no use to an appliance that has its certificate.
  await import('reflect-metadata')
  const x509 = await import('@peculiar/x509')
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const usages = [x509.ExtendedKeyUsage.serverAuth, ...(calls ? [x509.ExtendedKeyUsage.clientAuth] : [])]
  const called = [
    ...names.map((value) => ({ type: 'dns' as const, value })),
    ...addresses.map((value) => ({ type: 'ip' as const, value })),
  ]
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: [{ CN: [name] }],
      keys,
      signingAlgorithm: algorithm,
      // A box without a battery-backed clock may make it in 1970, and RFC 5280 4.1.2.5 gives this date to
      // certificates that have no good end.
      notBefore: new Date('2020-01-01T00:00:00Z'),
      notAfter: new Date('9999-12-31T23:59:59Z'),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension(usages),
        ...(called.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(called)]),
      ],
    },
    crypto,
  )
  const key = await crypto.subtle.exportKey('pkcs8', keys.privateKey)
  return { certificate: certificate.toString('pem'), key: x509.PemConverter.encode(key, 'PRIVATE KEY') }
}
