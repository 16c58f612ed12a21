/** Which boot of the machine this is: tells what a crash of the machine ended from what a killed process left. */
import { readFile } from 'node:fs/promises'

/** Differs from boot to boot. Rejects where the system does not tell. */
export const bootId = async (): Promise<string> => (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
