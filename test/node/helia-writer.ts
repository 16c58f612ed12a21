/** Pins block after block into the folder it is given and names each on stdout once it is acknowledged; the test kills it. */
import { openHelia } from '../../node/ipfs/helia-node.ts'
import { silentLogger } from '../../src/component.ts'
import { pinWith } from '../../src/pin/pin.ts'
import { putAll, writerBlock } from './helia-blocks.ts'

const [folder = ''] = process.argv.slice(2)
const ipfs = await openHelia(folder, { logger: silentLogger })
for (let index = 0; ; index++) {
  const block = await writerBlock(index)
  await putAll(ipfs, block)
  await ipfs.pin(pinWith(block.cid))
  process.stdout.write(`${block.cid}\n`)
}
