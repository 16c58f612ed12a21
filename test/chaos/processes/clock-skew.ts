/** Loaded into a peer's process before everything else: its clock is wrong by CHAOS_CLOCK_SKEW ms. */
const skew = Number(process.env['CHAOS_CLOCK_SKEW'] ?? 0)
const RealDate = Date
const now = (): number => RealDate.now() + skew

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args: [], newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as object,
  get: (target, key) => key === 'now' ? now : Reflect.get(target, key) as unknown
})

export {}
