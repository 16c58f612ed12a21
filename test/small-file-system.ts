/** A file system in memory, small enough to be filled. */
import { spawnSync } from 'node:child_process'

/** Mounts one of this size at an empty folder; false where this user may not mount. */
export const mountSmall = (folder: string, mebibytes: number): boolean => spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', folder]).status === 0
