/** Frames of `length (4) ‖ content ‖ zeros`, padded by Padmé (PROTOCOL §2, §7; PURBs, PoPETs 2019). */
import { concat, isZero, readUint32, uint32, type Bytes } from './bytes'
import { demand } from './errors'

export const FRAME_MIN_BYTES = 256
export const FRAME_MAX_BYTES = 32 * 1024

/** The padded length for a length of at least 2: at most 12 % more, leaking O(log log n) bits. */
export function padme(length: number): number {
  const e = length.toString(2).length - 1
  const s = e.toString(2).length
  const unit = 2 ** (e - s)
  return Math.ceil(length / unit) * unit
}

function frameLength(content: number): number {
  return padme(Math.max(FRAME_MIN_BYTES, 4 + content))
}

/** Throws 'content' when the frame would be above 32 KiB. */
export function pad(content: Bytes): Bytes {
  const length = frameLength(content.length)
  demand(length <= FRAME_MAX_BYTES, 'content')
  return concat(uint32(content.length), content, new Uint8Array(length - 4 - content.length))
}

/** The content of a frame, as a view of it. Throws 'content' for any other padding than pad's own. */
export function unpad(frame: Bytes): Bytes {
  demand(frame.length >= FRAME_MIN_BYTES && frame.length <= FRAME_MAX_BYTES, 'content')
  const length = readUint32(frame, 0)
  demand(length <= FRAME_MAX_BYTES && frame.length === frameLength(length), 'content')
  demand(isZero(frame.subarray(4 + length)), 'content')
  return frame.subarray(4, 4 + length)
}
