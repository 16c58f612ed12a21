/**
 * The certificate of the webrtc-direct listener: signed by itself, known by its hash, which is part of the listener's address. It is kept, so
 * that addresses in join links stay valid, and never ends: who dials compares the hash and nothing else.
 */
import { createHash, createPrivateKey, generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { TransportCertificate } from '@libp2p/webrtc'
import { base64url } from 'multiformats/bases/base64'
import { create } from 'multiformats/hashes/digest'
import { readIfThere, writeWhole } from '../files.ts'

/** Reads the file, or makes it with a new certificate. */
export async function directCertificate (path: string): Promise<TransportCertificate> {
  const kept = await readIfThere(path)
  if (kept !== undefined) return decode(kept, path)
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = pemOf('CERTIFICATE', selfSigned(privateKey, publicKey))
  const text = `${pem}${privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()}`
  await writeWhole(path, text, 0o600)
  return decode(text, path)
}

function decode (text: string, path: string): TransportCertificate {
  try {
    const certificate = new X509Certificate(text)
    const key = createPrivateKey(text)
    if (!certificate.checkPrivateKey(key)) throw new Error('its key is that of another certificate')
    const hash = create(0x12, createHash('sha256').update(certificate.raw).digest())
    return { pem: certificate.toString(), privateKey: key.export({ type: 'pkcs8', format: 'pem' }).toString(), certhash: base64url.encode(hash.bytes) }
  } catch (error) {
    throw new Error(`${path} is damaged: remove it, and invite again who joined through webrtc-direct`, { cause: error })
  }
}

const pemOf = (label: string, der: Uint8Array): string => `-----BEGIN ${label}-----\n${(Buffer.from(der).toString('base64').match(/.{1,64}/g) ?? []).join('\n')}\n-----END ${label}-----\n`

/** One value of DER: tag, length, content. */
function der (tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(contents)
  const { length } = content
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Uint8Array.of(tag, ...size), content])
}

const sequence = (...contents: readonly Uint8Array[]): Uint8Array => der(0x30, ...contents)
const text = (tag: number, value: string): Uint8Array => der(tag, Buffer.from(value, 'latin1'))
/** 1.2.840.10045.4.3.2, ecdsa-with-SHA256, and 2.5.4.3, common name. */
const ecdsaWithSha256 = sequence(der(0x06, Uint8Array.of(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02)))
const commonName = der(0x06, Uint8Array.of(0x55, 0x04, 0x03))

/** RFC 5280: an end of 99991231235959Z is none. */
function selfSigned (privateKey: KeyObject, publicKey: KeyObject): Uint8Array {
  const version = der(0xa0, der(0x02, Uint8Array.of(2)))
  const serial = der(0x02, Uint8Array.of(1, ...randomBytes(15)))
  const name = sequence(der(0x31, sequence(commonName, text(0x0c, 'pinswarm'))))
  const validity = sequence(text(0x17, '200101000000Z'), text(0x18, '99991231235959Z'))
  const body = sequence(version, serial, ecdsaWithSha256, name, validity, name, publicKey.export({ type: 'spki', format: 'der' }))
  return sequence(body, ecdsaWithSha256, der(0x03, Uint8Array.of(0), sign('sha256', body, privateKey)))
}
