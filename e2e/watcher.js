/*
 * Runs in a page before its own code, for the tests alone.
 *
 * It remembers every byte string that WebCrypto or the generator had to do with and that may be secret, and every ref
 * and reactive object that Vue makes. `watcher.search` then walks all that can be reached from Vue, the document, the
 * window and the tab's storage, and tells where one of the byte strings is, as bytes or as text.
 */
;(() => {
  'use strict'
  const PIECE = 16
  const before = new Set(Reflect.ownKeys(window))
  /** In hex, pieces of 16 bytes: a secret is found even where only a part of it is. */
  const secrets = new Set()
  /** What passed, as the very memory. */
  const passed = []
  /** Weak: what Vue itself has let go is not to be found. */
  const refs = []
  const reactives = []
  const alive = (all) => all.flatMap((one) => one.deref() ?? [])

  const hexOf = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  const bytesOf = (hex) =>
    Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
  const viewOf = (source) =>
    source instanceof ArrayBuffer
      ? new Uint8Array(source)
      : new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
  const isBytes = (value) => value instanceof ArrayBuffer || ArrayBuffer.isView(value)
  const fromText = (text) =>
    Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0))

  // --- what passes ------------------------------------------------------------------------------------------

  function keep(bytes) {
    for (let at = 0; at + PIECE <= bytes.length; at += PIECE) {
      secrets.add(hexOf(bytes.subarray(at, at + PIECE)))
    }
  }

  /** `whole`: a record or a frame, in which public things are too; its secrets pass one by one as well. */
  function pass(how, source, whole = false) {
    if (!isBytes(source)) return
    const memory = viewOf(source)
    passed.push({ how, memory })
    if (!whole) keep(memory)
  }

  function around(owner, name, asked, answered) {
    const real = owner[name]
    if (typeof real !== 'function') return
    owner[name] = function (...args) {
      asked(...args)
      const answer = Reflect.apply(real, this, args)
      if (!(answer instanceof Promise)) {
        answered(answer, ...args)
        return answer
      }
      return answer.then((value) => {
        answered(value, ...args)
        return value
      })
    }
  }

  const nothing = () => {}
  const isAes = (algorithm) => (algorithm.name ?? algorithm) === 'AES-GCM'
  const keepJwk = (key) => {
    for (const member of ['priv', 'd', 'p', 'q', 'k'])
      if (key?.[member]) keep(fromText(key[member]))
  }
  const subtle = SubtleCrypto.prototype
  around(Crypto.prototype, 'getRandomValues', nothing, (drawn) => pass('drawn', drawn))
  around(
    subtle,
    'importKey',
    (format, key) => {
      if (format === 'jwk') keepJwk(key)
      else if (format !== 'raw-public' && format !== 'spki') pass(`imported ${format}`, key)
    },
    nothing,
  )
  around(subtle, 'exportKey', nothing, (key, format) => {
    if (format === 'jwk') keepJwk(key)
    else if (format !== 'raw-public' && format !== 'spki') pass(`exported ${format}`, key)
  })
  around(subtle, 'deriveBits', nothing, (bits) => pass('derived', bits))
  around(subtle, 'deriveKey', ({ salt }) => pass('salt', viewOf(salt).subarray(0, 32)), nothing)
  around(subtle, 'sign', nothing, (mac) => pass('signed', mac))
  around(
    subtle,
    'encrypt',
    (algorithm, _, plain) => pass(`sealed ${algorithm.name}`, plain, isAes(algorithm)),
    nothing,
  )
  around(subtle, 'decrypt', nothing, (plain, algorithm) =>
    pass(`opened ${algorithm.name}`, plain, isAes(algorithm)),
  )
  around(subtle, 'encapsulateBits', nothing, ({ sharedKey }) => pass('encapsulated', sharedKey))
  around(subtle, 'decapsulateBits', nothing, (sharedKey) => pass('decapsulated', sharedKey))

  // --- what Vue makes ---------------------------------------------------------------------------------------

  // Each ref marks itself as one when it is made; each reactive object is put into a map with its proxy.
  Object.defineProperty(Object.prototype, '__v_isRef', {
    configurable: true,
    set(value) {
      refs.push(new WeakRef(this))
      Object.defineProperty(this, '__v_isRef', {
        value,
        writable: true,
        configurable: true,
        enumerable: true,
      })
    },
  })
  around(WeakMap.prototype, 'set', nothing, (_, target, proxy) => {
    if (typeof proxy === 'object' && proxy?.__v_raw === target) reactives.push(new WeakRef(target))
  })

  // --- looking ----------------------------------------------------------------------------------------------

  const base64 = (bytes) => btoa(String.fromCharCode(...bytes))

  /** As bytes, in hex, in base64 of both alphabets wherever it begins, and as a list of numbers. */
  function spellings(hex) {
    const bytes = bytesOf(hex)
    const shifted = [0, 1, 2].map((ahead) =>
      base64([...new Uint8Array(ahead), ...bytes]).slice(4, -4),
    )
    const urls = shifted.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'))
    const raw = String.fromCharCode(...bytes)
    return [hex, hex.toUpperCase(), raw, bytes.join(','), ...shifted, ...urls]
  }

  const isNative = (method) => /\[native code\]/.test(Function.prototype.toString.call(method))

  /**
   * Every text and byte string that can be reached from a value, with the way to it. `asIs`: classes are not asked for
   * what they compute, so that a cache is found as it is.
   */
  function walk(root, where, found, asIs = false) {
    const known = new Set([window, document, Object.prototype, Function.prototype])
    const queue = [[root, where]]
    while (queue.length > 0) {
      const [value, path] = queue.shift()
      if (typeof value === 'string') found.push({ path, text: value })
      if ((typeof value !== 'object' && typeof value !== 'function') || value === null) continue
      if (known.has(value)) continue
      known.add(value)
      if (isBytes(value)) found.push({ path, kind: 'bytes', text: hexOf(viewOf(value)) })
      else if (value instanceof CryptoKey) found.push({ path, kind: 'CryptoKey', text: '' })
      else {
        if (Array.isArray(value)) found.push({ path, text: value.join(',') })
        const members = [...membersOf(value), ...(asIs ? [] : computedOf(value))]
        for (const [key, member] of members) queue.push([member, `${path}.${String(key)}`])
      }
    }
  }

  function* membersOf(value) {
    if (value instanceof Map) {
      for (const [key, member] of value) {
        yield ['key', key]
        yield [key, member]
      }
    }
    if (value instanceof Set) for (const member of value) yield ['item', member]
    for (const key of Reflect.ownKeys(value)) yield [key, read(value, key)]
  }

  function* computedOf(value) {
    for (let proto = Object.getPrototypeOf(value); proto; proto = Object.getPrototypeOf(proto)) {
      for (const [key, { get }] of Object.entries(Object.getOwnPropertyDescriptors(proto))) {
        if (get && !isNative(get)) yield [key, read(value, key)]
      }
    }
  }

  function read(value, key) {
    try {
      return value[key]
    } catch {
      return undefined
    }
  }

  /** All places where a secret could have got to, by name. */
  function places() {
    const app = document.querySelector('#app')
    const own = Reflect.ownKeys(window).filter((key) => !before.has(key) && key !== 'watcher')
    const fields = [...document.querySelectorAll('input, textarea')].map(({ value }) => value)
    return {
      refs: alive(refs),
      reactive: alive(reactives),
      app: [app.__vue_app__, app._vnode],
      elements: [...document.querySelectorAll('*')],
      document: [document.documentElement.outerHTML, document.title, document.cookie, fields],
      globals: own.map((key) => window[key]),
      address: [location.href, document.referrer, window.name],
      performance: performance.getEntries().map(({ name }) => name),
      history: [history.state],
      sessionStorage: { ...sessionStorage },
      localStorage: { ...localStorage },
    }
  }

  /**
   * Where one of the secrets is: [path, piece in hex]. `more` are pieces in hex that another page has seen; `extra` are
   * texts to look through too, by name.
   */
  function search(more = [], extra = {}) {
    const found = []
    for (const [place, root] of Object.entries({ ...places(), ...extra })) {
      walk(root, place, found, place === 'refs' || place === 'reactive')
    }
    const all = found.map(({ text }) => text).join('\n')
    const hits = []
    for (const secret of new Set([...secrets, ...more])) {
      for (const spelling of spellings(secret)) {
        if (!all.includes(spelling)) continue
        for (const { path, text } of found) if (text.includes(spelling)) hits.push([path, secret])
      }
    }
    return hits
  }

  /** The ways from Vue to bytes and keys, which have no business there. */
  function keysInVue() {
    const found = []
    const { refs: allRefs, reactive, app } = places()
    walk({ refs: allRefs, reactive, app }, 'vue', found)
    return found.filter(({ kind }) => kind).map(({ path, kind }) => `${kind} at ${path}`)
  }

  window.watcher = {
    search,
    keysInVue,
    secrets: () => [...secrets],
    keep: (text) => keep(fromText(text)),
    counts: () => ({
      secrets: secrets.size,
      passed: passed.length,
      refs: alive(refs).length,
      reactives: alive(reactives).length,
    }),
    /** What passed and is not zero now: [how, hex]. */
    remains: () =>
      passed
        .filter(({ memory }) => memory.some(Boolean))
        .map(({ how, memory }) => [how, hexOf(memory)]),
    /** The first piece of the nth secret. */
    secret: (n) => bytesOf([...secrets][n]),
    firstRef: () => alive(refs)[0],
  }
})()
