import type { ServerError } from './wire'

/** The server could not be asked, or its answer did not come: nothing is known of what it did. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable'
}

/** The server refused; `code` is one of the wire's stable codes (docs/asyncapi.json, docs/openapi.json). */
export class Refused extends Error {
  override readonly name = 'Refused'

  constructor(
    readonly code: string,
    /** Whether the same bytes will be refused again, whenever they are sent. */
    readonly permanent: boolean,
    /** Seconds after which a retry may help. */
    readonly retryAfter: number | null,
  ) {
    super(code)
  }

  static from(error: ServerError): Refused {
    return new Refused(error.code, error.permanent, error.retry_after)
  }
}
