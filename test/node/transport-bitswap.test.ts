import { silentLogger } from '../../src/component.ts'
import { bitswapExchange } from '../../src/exchange/bitswap.ts'
import { exchangeContract } from '../contract/exchange.ts'
import { newMember } from './network.ts'

exchangeContract('bitswap over libp2p', async (count, blocks) => {
  const members = await Promise.all(Array.from({ length: count }, async () => await newMember()))
  for (const member of members) await member.start()
  for (const [index, member] of members.entries()) {
    for (const other of members.slice(index + 1)) {
      const [address] = other.addresses()
      if (address !== undefined) await member.connect(address)
    }
  }
  return members.map((transport, index) => ({ transport, exchange: bitswapExchange({ transport, blocks: blocks(index), logger: silentLogger }) }))
})
