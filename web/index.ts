/** The door `pinswarm/web`: a member of a cluster in a browser tab. */
export { createWebPeer } from './create-web-peer.ts'
export { LeaderGoneError, LeftError, NotJoinedError, OtherClusterError, SecretNeededError, UnsupportedPageError } from './errors.ts'
export { joinedBefore } from './profile.ts'
export { decodeJoinLink, encodeJoinFragment, InvalidJoinLinkError } from '../src/join/join-link.ts'
export { ApiError, ClusterClient } from '../src/api/client.ts'
export type { JoinLink, JoinRole } from '../src/join/join-link.ts'
export type { UploadEntry } from '../src/api/client.ts'
export type { WebPeer, WebPeerEvents, WebPeerOptions, WebPeerRole } from './web-peer.ts'
