/**
 * RSA by node-forge, the implementation from outside (PROTOCOL §10.3). A development dependency only.
 * Its byte strings hold one byte in each character.
 */
import forge from 'node-forge'

import { toHex, type Bytes } from '../../src/protocol'

/** RSA-OAEP (SHA-256, MGF1-SHA-256, e = 65537): as long as the modulus. Throws what node-forge throws. */
export function sealWithForge(modulus: Bytes, message: Bytes, label: Bytes): Bytes {
  const n = new forge.jsbn.BigInteger(toHex(modulus), 16)
  const key = forge.pki.setRsaPublicKey(n, new forge.jsbn.BigInteger('10001', 16))
  return fromForge(key.encrypt(toForge(message), 'RSA-OAEP', optionsWith(label)))
}

/** Opens RSA-OAEP with a private key in PKCS #8. Throws what node-forge throws. */
export function openWithForge(pkcs8: Bytes, sealed: Bytes, label: Bytes): Bytes {
  const opened = readKey(pkcs8).decrypt(toForge(sealed), 'RSA-OAEP', optionsWith(label))
  return fromForge(opened)
}

/** A private key in PKCS #8, read and written again by node-forge. */
export function rewriteWithForge(pkcs8: Bytes): Bytes {
  const info = forge.pki.wrapRsaPrivateKey(forge.pki.privateKeyToAsn1(readKey(pkcs8)))
  return fromForge(forge.asn1.toDer(info).getBytes())
}

const readKey = (pkcs8: Bytes): forge.pki.rsa.PrivateKey =>
  forge.pki.privateKeyFromAsn1(forge.asn1.fromDer(toForge(pkcs8)))

/** Unless told so, node-forge hashes with SHA-1. */
const optionsWith = (label: Bytes) => ({
  label: toForge(label),
  md: forge.md.sha256.create(),
  mgf1: { md: forge.md.sha256.create() },
})

const toForge = (bytes: Bytes): string =>
  Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')

const fromForge = (text: string): Bytes =>
  Uint8Array.from(text, (character) => character.charCodeAt(0))
