import type {
  Connection,
  Conversation,
  Delivery,
  EndedWhy,
  EngineErrorCode,
  EraseReceipt,
} from './engine/types'
import type { FatalReason } from './stores/page'
import { durationText, secondsText } from './composables/clock'

/** Every sentence that the page says, in one place. */

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
const counted = (n: number, one: string, many: string): string => `${n} ${n === 1 ? one : many}`

export const brand = 'Quarter'

export const home = {
  title: 'A quarter of an hour, for two.',
  lead: (ttl: number) =>
    `Send this link to one person. What you two say is sealed in your browsers, and gone ${durationText(ttl)} after the last message.`,
  copy: 'Copy one-time link',
  copied: 'Copied. Give it to one person only.',
  share: 'Share one-time link',
  shareText: 'Talk to me on Quarter. This link works once:',
  makeFirst: 'Make a one-time link',
  noLink: 'No link is waiting to be used.',
  preparing: 'Making your keys in this browser…',
  qr: 'QR code of your one-time link',
  qrHint: 'Or let them scan it.',
}

export const links = {
  title: 'Links waiting to be used',
  hint: 'Each lets one person in, within a day.',
  unnamed: 'Link without a name',
  left: (text: string) => `${text} left`,
  copy: (name: string) => `Copy ${name}`,
  withdraw: (name: string) => `Withdraw ${name}`,
  withdrawShort: 'Withdraw',
  nameLabel: 'Who is the next one for?',
  nameHint: 'Only you see the name.',
  make: 'Make another link',
}

export const address = {
  title: 'Were you given a link?',
  label: 'Paste a link or a code',
  placeholder: 'https://…/#… or a code',
  go: 'Continue',
}

export const ownCode = {
  title: 'Your code',
  hint: 'Whoever has it, without a link, can ask to talk to you. You accept or decline.',
  linkOnly: 'You want to be asked by link only: nobody reaches you with it alone.',
  copy: 'Copy your code',
  copied: 'Your code is copied.',
}

export const settings = {
  title: 'This browser',
  remember: 'Remember in this browser',
  rememberHint: 'Off: your keys go when you close this tab. On: they stay until you erase them.',
  linkOnly: 'Only with a link',
  linkOnlyHint: 'On: requests with your code alone are ignored. Nobody is told.',
  erase: 'Erase everything',
}

export const list = {
  title: 'Conversations',
  empty: 'None yet. They show up here.',
  fresh: 'New conversation',
  freshShort: 'New',
  unread: (n: number) => counted(n, 'new message', 'new messages'),
  left: (text: string) => `${text} left`,
}

export const phaseLine: Record<Conversation['phase'], string> = {
  joining: 'Waiting for the other side',
  asking: 'Asking to talk',
  request: 'Asks to talk with you',
  open: 'Open',
  ended: 'Over',
  broken: 'Broken off',
}

export const arrival = {
  inviteTitle: 'Somebody wants to talk with you.',
  requestTitle: 'Ask to talk?',
  from: 'From',
  to: 'To',
  inviteBody: (ttl: number) =>
    `You can both write until ${durationText(ttl)} pass without a message. Then it is gone, here and there.`,
  inviteOnce: 'The link works once, for whoever joins first. Looking at this page used nothing up.',
  requestBody:
    'This is a code without a link. The other side sees that somebody asks, and accepts or declines.',
  requestOnce: 'Until you two compare the safety number, neither can be sure who the other is.',
  join: 'Join (uses up this link)',
  ask: 'Ask to talk',
  cancel: 'Not now',
  joining: 'One moment…',
}

export const request = {
  title: 'Somebody asks to talk.',
  body: 'Someone who gives this code asks to talk, without your link.',
  caution: 'Anybody could say so. If you accept, compare the safety number before you trust it.',
  accept: 'Accept',
  decline: 'Decline',
  safety: 'Show safety number',
}

export const conversation = {
  back: 'Back to all conversations',
  menu: 'More',
  messages: 'Messages',
  empty: 'Nothing said yet.',
  field: 'Message',
  placeholder: 'Write a message',
  send: 'Send',
  tooLong: (bytes: number) =>
    `Too long by ${counted(bytes, 'byte', 'bytes')}. Send it in two messages.`,
  typing: 'writing…',
  newest: 'Show newest messages',
  earlier: 'Show earlier messages',
  unfold: 'Show all',
  waitingJoin:
    'The other side has not answered yet. You can write already: it waits here, sealed, until they are back.',
  waitingAsk: 'You asked to talk. You can write once they accept.',
  stillJoin:
    'Still no answer. The other side may be away, or the link no longer good, or something on the way keeps what you send from them. If you know that they are there, ask for a new link.',
  stillAsk:
    'Still no answer. They may be away, or not want to, or never have got what you sent. If you know that they are there, ask for a link.',
  left: (text: string) => `${text} left`,
  keep: (ttl: number) => `Keep for another ${durationText(ttl)}`,
  endsSoon: 'This conversation ends soon.',
  kept: (mine: boolean, seconds: number) =>
    `${mine ? 'You' : 'The other side'} kept it on for ${durationText(seconds)}.`,
  unreadable: 'A message arrived that can’t be read.',
  newer: 'This message needs a newer version of Quarter.',
  leave: 'Leave conversation',
  safety: 'Safety number',
  me: 'You',
  peer: 'The other side',
}

export const verified: Record<Conversation['verified'], string> = {
  link: 'Met by a one-time link',
  compared: 'Numbers compared',
  none: 'Not verified',
}

export const delivery: Record<Delivery, string> = {
  waiting: 'Waiting in this browser',
  stored: 'On the server',
  taken: 'Taken by the other side',
  undelivered: 'Not delivered',
}

export const leave = {
  title: 'Leave this conversation?',
  body: 'It ends for both of you, at once. Nothing of it is kept.',
  yes: 'Leave',
  no: 'Stay',
}

export const safety = {
  title: 'Safety number',
  body: 'Read it to each other on the phone, or scan it side by side. If all twelve groups are equal, nobody is in between.',
  qr: 'QR code of the safety number',
  mark: 'Mark as compared',
  marked: 'You compared this number.',
  close: 'Close',
  working: 'Computing the number…',
}

const ended: Record<EndedWhy, { title: string; body: string }> = {
  left: { title: 'You left.', body: 'The conversation is over for both of you.' },
  'peer-left': { title: 'The other side left.', body: 'The conversation is over.' },
  expired: { title: 'Time is up.', body: 'Nothing was said for too long.' },
  declined: { title: 'They declined.', body: 'Your request was not accepted.' },
  'link-used': {
    title: 'This link was used already.',
    body: 'A link lets in one person. If that was not you, tell whoever gave it to you, and ask for another.',
  },
  unanswered: {
    title: 'Nobody answered.',
    body: 'The other side did not come back in time, or never got what you sent.',
  },
  'server-says': {
    title: 'Ended, says the server.',
    body: 'The other side gave no sign of it, so there is no proof why.',
  },
}

/** Why it ended, in plain words; how long its silence was, where that is the reason. */
export function endedWords(why: EndedWhy, ttl: number): { title: string; body: string } {
  if (why !== 'expired') return ended[why]
  return { ...ended.expired, body: `${capital(durationText(ttl))} passed without a message.` }
}

export const over = {
  brokenTitle: 'This conversation broke off.',
  brokenBody: 'Something in it did not check out, so nothing more is shown or sent.',
  nothing: 'Nothing of it is kept on this page.',
  undelivered: (n: number) =>
    `${counted(n, 'message of yours was', 'messages of yours were')} never shown to have arrived.`,
  close: 'Close',
}

export const erase = {
  title: 'Erase everything?',
  body: 'Your code, your links and all conversations go: on the server first, then in this browser. Whoever you talk with is told that it is over. It can’t be undone.',
  yes: 'Yes, erase everything',
  no: 'Cancel',
  working: 'Erasing…',
  doneTitle: 'All erased.',
  forgottenTitle: 'The keys are gone from this browser.',
  forgottenBody:
    'The server could not be asked. What it holds can’t be read by anyone now, and it forgets it by itself when the time is up.',
  anew: 'Start anew',
  failedTitle: 'Not erased yet.',
  failedBody: 'The server could not be reached, so it may still hold your sealed messages.',
  retry: 'Try again',
  forget: 'Delete the keys in this browser anyway',
}

/** What was deleted, and who was told; a line each. */
export function receiptLines(receipt: EraseReceipt): string[] {
  if (!receipt.counted) return ['The server says that it doesn’t know you any more', KEYS_DELETED]
  const onServer = [
    counted(receipt.sessions, 'conversation', 'conversations'),
    counted(receipt.messages, 'sealed message', 'sealed messages'),
    ...(receipt.files > 0 ? [counted(receipt.files, 'file', 'files')] : []),
  ].map((line) => `${line} deleted, says the server`)
  return [...onServer, KEYS_DELETED, toldLine(receipt)]
}

const KEYS_DELETED = 'The keys in this browser deleted'

function toldLine({ peers, told }: EraseReceipt): string {
  if (peers === 0) return 'Nobody else had to be told'
  if (peers === told)
    return peers === 1 ? 'The other page was told' : `All ${peers} other pages were told`
  if (peers === 1) return 'The other page was not open; it will be told when it comes back'
  return `${told} of ${peers} other pages were told; the rest when they come back`
}

export const fatal: Record<FatalReason, { title: string; body: string; action: string | null }> = {
  'insecure-context': {
    title: 'This address is not safe enough.',
    body: 'Browsers seal messages only on pages loaded over https. Open Quarter with https:// in front.',
    action: null,
  },
  'no-storage': {
    title: 'This browser keeps nothing.',
    body: 'Quarter needs a little storage for your keys while you talk. Allow it for this site and see that the disk is not full, or use another window, then try again.',
    action: 'Try again',
  },
  outdated: {
    title: 'There is a newer Quarter.',
    body: 'This page and the server don’t understand each other any more. Loading it again helps.',
    action: 'Load again',
  },
  elsewhere: {
    title: 'Quarter is open in another window.',
    body: 'Your conversations go on there. Only one window at a time can hold them.',
    action: 'Use it here',
  },
  'start-failed': {
    title: 'Quarter could not start.',
    body: 'Something went wrong in this browser. Loading the page again may help.',
    action: 'Load again',
  },
}

export const storage = {
  title: 'This browser has no room left.',
  body: 'Messages wait until it has: nothing that was sent is lost. Delete what you don’t need on this device; the page goes on by itself.',
}

export const notices = {
  region: 'Notices',
  close: 'Close this notice',
  copyFailed: 'The browser did not let us copy. Select the text and copy it yourself.',
  linkTriedAgain: (name: string | null) =>
    `Somebody tried ${name === null ? 'a link' : `the link “${name}”`} of yours again that had been used. They were not let in.`,
  full: (name: string | null) =>
    `${name === null ? 'A conversation' : `The conversation with ${name}`} is full. What waits there will not arrive: start a new one.`,
  badOffer:
    'Somebody tried to reach you with an old link, or with one that was changed on its way. They were not let in. If you are waiting for somebody, give them a new link.',
  requestCame: 'Somebody asks to talk with you.',
  noRoom: 'There is no room in this browser to keep that. Free some, then try again.',
  unexpected: 'That did not work. Try again; if it keeps failing, load the page again.',
}

const errors: Record<EngineErrorCode, string> = {
  'bad-address': 'That is no Quarter link or code. Paste the whole of it, from https to the end.',
  'own-address': 'That is your own. Give it to the person you want to talk with.',
  'unknown-peer': 'Nobody with that code is here any more. Ask them for a new link.',
  'key-mismatch':
    'The server gave a key that does not fit this code, so nothing was sent. Ask for a new link, and be wary.',
  'too-long': 'That is too long for one message. Send it in two.',
  'too-fast': 'That was a little fast. Try again in a moment.',
  full: 'There is no room for more just now. End a conversation, or try again later.',
  offline: 'There is no connection just now. Try again when it is back.',
  'not-open': 'This conversation is not open any more.',
  'wrong-answer':
    'The server answered something else than was asked, so nothing was sent. Try again; if it stays so, don’t trust this server.',
  refused: 'The server refused that. Load the page again, then try once more.',
}

/** What went wrong and what to do; with the time to wait where one is known. */
export function errorText(code: EngineErrorCode, retryAfter: number | null): string {
  if (retryAfter === null || (code !== 'too-fast' && code !== 'full')) return errors[code]
  const wait = secondsText(retryAfter)
  return code === 'full'
    ? `There is no room for more just now. Try again in ${wait}.`
    : `That was a little fast. Try again in ${wait}.`
}

export function connectionText(connection: Connection, now: number): string {
  switch (connection.state) {
    case 'online':
      return 'Connected'
    case 'connecting':
      return 'Connecting…'
    case 'elsewhere':
      return 'Open in another window'
    case 'waiting': {
      const seconds = Math.ceil((connection.retryAt - now) / 1000)
      return seconds > 0 ? `No connection. Next try in ${seconds} s` : 'No connection. Trying…'
    }
  }
}
