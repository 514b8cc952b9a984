/** Runs one task at a time, in the order in which they were asked for. */
export class Queue {
  #last: Promise<unknown> = Promise.resolve()

  run<T>(task: () => Promise<T>): Promise<T> {
    const next = this.#last.then(task, task)
    this.#last = next.catch(() => undefined)
    return next
  }

  /** Settles when everything asked for so far is done. */
  idle(): Promise<unknown> {
    return this.#last
  }
}
