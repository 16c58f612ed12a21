/** What a peer's life depends on: it runs, is paused (nothing of it moves, nothing is lost), or is dead. */
export class Life {
  #dead = false
  #paused: PromiseWithResolvers<void> | undefined

  get isDead (): boolean { return this.#dead }
  get isPaused (): boolean { return this.#paused !== undefined }

  pause (): void { this.#paused ??= Promise.withResolvers<void>() }

  resume (): void {
    this.#paused?.resolve()
    this.#paused = undefined
  }

  kill (): void {
    this.#dead = true
    this.resume()
  }

  /** Waits out a pause. Throws when the peer is dead: what is left of it does nothing any more. */
  async pass (): Promise<void> {
    while (this.#paused !== undefined) await this.#paused.promise
    this.check()
  }

  check (): void { if (this.#dead) throw new Error('this process is dead') }
}
