/** How messengers on node-forge do it: for each message a fresh AES-256 key, wrapped with the receiver's RSA key. */
import forge from 'node-forge'

import { carryBy, type Way } from './way'

export async function forgeHybrid(bits: 2048 | 3072): Promise<Way> {
  const { publicKey, privateKey } = await makeKeys(bits)
  return {
    name: `node-forge, RSA-${bits} and AES-256-GCM`,
    carry: (text) =>
      carryBy(
        text,
        async () => seal(publicKey, text),
        (sealed) => sealed,
        async (sealed) => open(privateKey, sealed),
      ),
  }
}

/** By WebCrypto, as node-forge itself would take many seconds; a key is made once and not measured. */
async function makeKeys(bits: number): Promise<forge.pki.rsa.KeyPair> {
  const parameters = { name: 'RSA-OAEP', hash: 'SHA-256', modulusLength: bits }
  const publicExponent = Uint8Array.of(1, 0, 1)
  const pair = await crypto.subtle.generateKey({ ...parameters, publicExponent }, true, ['decrypt'])
  const pkcs8 = new Uint8Array(await crypto.subtle.exportKey('pkcs8', pair.privateKey))
  const text = Array.from(pkcs8, (byte) => String.fromCharCode(byte)).join('')
  const privateKey = forge.pki.privateKeyFromAsn1(forge.asn1.fromDer(text))
  return { privateKey, publicKey: forge.pki.setRsaPublicKey(privateKey.n, privateKey.e) }
}

function seal(publicKey: forge.pki.rsa.PublicKey, text: string): string {
  const key = forge.random.getBytesSync(32)
  const iv = forge.random.getBytesSync(12)
  const cipher = forge.cipher.createCipher('AES-GCM', key)
  cipher.start({ iv, tagLength: 128 })
  cipher.update(forge.util.createBuffer(text, 'utf8'))
  cipher.finish()
  return JSON.stringify({
    key: forge.util.encode64(publicKey.encrypt(key, 'RSA-OAEP', oaep())),
    iv: forge.util.encode64(iv),
    tag: forge.util.encode64(cipher.mode.tag.getBytes()),
    text: forge.util.encode64(cipher.output.getBytes()),
  })
}

function open(privateKey: forge.pki.rsa.PrivateKey, sealed: string): string {
  const message: Record<'key' | 'iv' | 'tag' | 'text', string> = JSON.parse(sealed)
  const key = privateKey.decrypt(forge.util.decode64(message.key), 'RSA-OAEP', oaep())
  const decipher = forge.cipher.createDecipher('AES-GCM', key)
  const tag = forge.util.createBuffer(forge.util.decode64(message.tag))
  decipher.start({ iv: forge.util.decode64(message.iv), tagLength: 128, tag })
  decipher.update(forge.util.createBuffer(forge.util.decode64(message.text)))
  if (!decipher.finish()) throw new Error('the tag is wrong')
  return forge.util.decodeUtf8(decipher.output.getBytes())
}

const oaep = () => ({ md: forge.md.sha256.create(), mgf1: { md: forge.md.sha256.create() } })
