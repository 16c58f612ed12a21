/** Long work in short pieces, so that the page keeps drawing and answering. */

const budget = 4

/** Resolves in a new task, after the page had its turn. */
const nextTask = async (): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const { port1, port2 } = new MessageChannel()
  port1.onmessage = () => { port1.close(); resolve(undefined) }
  port2.postMessage(0)
  await promise
}

const nextFrame = async (): Promise<void> => {
  if (document.hidden) return await nextTask()
  const { promise, resolve } = Promise.withResolvers<undefined>()
  requestAnimationFrame(() => { resolve(undefined) })
  await promise
  await nextTask()
}

/** Says when a piece of work has lasted long enough, and waits for the next frame. */
export class Pacer {
  #since = performance.now()

  isDue (): boolean { return performance.now() - this.#since > budget }

  async pause (): Promise<void> {
    await nextFrame()
    this.#since = performance.now()
  }
}
