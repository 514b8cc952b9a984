/* oxlint-disable no-script-url -- hostile addresses are what this file is about */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isEmojiOnly, richText } from '../../src/composables/richText'

const links = (text: string): string[] => richText(text).flatMap(({ href }) => href ?? [])

describe('links in a text', () => {
  test('web and mail addresses can be followed', () => {
    expect(links('see https://example.org/a?b=c#d, or http://example.org.')).toEqual([
      'https://example.org/a?b=c#d',
      'http://example.org/',
    ])
    expect(links('write to ada@example.org')).toEqual(['mailto:ada@example.org'])
  })

  test.each([
    'javascript:alert(1)',
    'JaVaScRiPt://example.org/%0aalert(1)',
    'data:text/html,<script>alert(1)</script>',
    'ftp://example.org/x',
    '//example.org/x',
    'file:///etc/passwd',
    'vbscript:x',
    'example.org',
  ])('%s is only text', (text) => {
    expect(links(text)).toEqual([])
  })

  test('an address with characters that hide or turn it is only text', () => {
    expect(links('https://example.org/\u202egpj.exe')).toEqual([])
    expect(links('https://exam\u200bple.org/')).toEqual([])
  })

  test.each([
    ['https://www.\u0430\u0440\u0440\u04cf\u0435.com/login', 'www.xn--80ak6aa92e.com'],
    ['https://\uff45xample.org/', 'example.org'],
    ['https://0x7f.1/', '127.0.0.1'],
    ['https://müller.example', 'xn--mller-kva.example'],
  ])('%s leads elsewhere than it looks, and the host is spelt out', (text, host) => {
    expect(richText(text)).toEqual([{ text, href: expect.stringContaining(host) as string, host }])
  })

  test('an address that is what it looks needs no explanation', () => {
    expect(richText('https://EXAMPLE.org:8443/ä')).toEqual([
      { text: 'https://EXAMPLE.org:8443/ä', href: 'https://example.org:8443/%C3%A4' },
    ])
  })

  test('a mail address of foreign letters is only text', () => {
    expect(links('mailto:ada@ex\u0430mple.org')).toEqual([])
  })

  test('a name in front of a host is no part of a link: a link opens what it shows', () => {
    expect(richText('https://example.org@evil.example/')).toEqual([
      { text: 'https://example.org', href: 'https://example.org/' },
      { text: '@evil.example/', href: null },
    ])
  })

  test('whatever is written, the pieces together are the text, and no other scheme is ever followed', () => {
    const part = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.webUrl(),
      fc.constantFrom('javascript:', 'http://', 'mailto:', '@', '<img src=x onerror=y>', '\u202e'),
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const text = parts.join(' ')
        const pieces = richText(text)
        expect(pieces.map((piece) => piece.text).join('')).toBe(text)
        for (const { href } of pieces) if (href !== null) expect(href).toMatch(/^(https?|mailto):/u)
      }),
      { numRuns: 200 },
    )
  })
})

describe('emoji alone', () => {
  test.each(['🙂', '👍🏽 👍', '🏳️‍🌈', '🇫🇷🇯🇵', '👨‍👩‍👧‍👦'])('%s is shown large', (text) => {
    expect(isEmojiOnly(text)).toBe(true)
  })

  test.each(['', '  ', 'ok 🙂', '1', '#', '🙂🙂🙂🙂🙂🙂🙂'])('“%s” is not', (text) => {
    expect(isEmojiOnly(text)).toBe(false)
  })
})
