/** `ipfs-cluster-service version`. */
import { version } from '../../../src/version.ts'
import type { ServiceContext } from './context.ts'

export const printVersion = (context: ServiceContext): void => { context.out(`${version}\n`) }
