/** Errors every transport raises, by the names libp2p uses. */

/** No connection to the peer could be made. */
export class DialError extends Error {
  override name = 'DialError'
}

/** The remote peer does not serve the protocol. */
export class UnsupportedProtocolError extends Error {
  override name = 'UnsupportedProtocolError'
}

/** The other side, or a lost connection, ended the stream before its time. */
export class StreamResetError extends Error {
  override name = 'StreamResetError'
  constructor (message = 'stream reset', options?: ErrorOptions) { super(message, options) }
}

/** A write to a stream that was closed for writing here. */
export class StreamStateError extends Error {
  override name = 'StreamStateError'
}

/** The transport is not running. */
export class NotStartedError extends Error {
  override name = 'NotStartedError'
  constructor () { super('transport is not started') }
}

/** What came out of the cipher is not libp2p: the remote uses another secret, or none. */
export class DifferentSecretError extends Error {
  override name = 'DifferentSecretError'
  constructor (options?: ErrorOptions) { super('the remote is not protected by our secret: different cluster secret?', options) }
}

/** A remote on a transport without a protector did not prove that it holds the cluster secret. */
export class MemberProofError extends Error {
  override name = 'MemberProofError'
}
