/** Which IPFS Cluster this peer behaves as, and which pinswarm it is. */

/** The Go IPFS Cluster whose wire format, API and files this peer has. */
export const referenceVersion = '1.1.6'
/** The same as in package.json (a test compares them). */
export const ownVersion = '0.1.0'
/** What programs and `/version` report. */
export const version = `${referenceVersion}+pinswarm.${ownVersion}`
