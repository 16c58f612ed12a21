import { expect, test } from 'vitest'
import { createLogger, parseLevels } from '../../node/logger.ts'

const collect = (options: Parameters<typeof createLogger>[0] = {}) => {
  const lines: string[] = []
  return { lines, logger: createLogger({ ...options, write: (line) => lines.push(line) }) }
}

test('lines look as go-log writes them', () => {
  const { lines, logger } = collect()
  logger.forComponent('cluster').info('pinned %s on %d peers, 100%', 'QmX', 3, { peers: 2n }, new Error('outer', { cause: new Error('inner') }))
  expect(lines).toEqual([expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\tINFO\tcluster\tnode\/logger\.test\.ts:\d+\tpinned QmX on 3 peers, 100% \{"peers":"2"\} outer: inner\n$/)])
})

test('levels by facility', () => {
  expect([...parseLevels('info,crdt:debug, restapi:error')]).toEqual([['', 'info'], ['crdt', 'debug'], ['restapi', 'error']])
  expect(() => parseLevels('loud')).toThrow('loglevel: "loud" is not a level')
  const { lines, logger } = collect({ levels: 'error,crdt:debug' })
  logger.forComponent('cluster').warn('no')
  logger.forComponent('cluster').error('yes')
  logger.forComponent('crdt').debug('yes')
  logger.forComponent('p2p-gorpc').warn('no')
  expect(lines.map((line) => line.split('\t')[4])).toEqual(['yes\n', 'yes\n'])
  const debug = collect({ debug: true })
  debug.logger.forComponent('anything').debug('yes')
  expect(debug.lines).toHaveLength(1)
})

test('JSON, one line per message, and hidden texts', () => {
  const { lines, logger } = collect({ format: 'json', hidden: ['s3cret'] })
  logger.hide('k3y')
  logger.forComponent('service').warn('a\nb s3cret', 'k3y')
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([expect.objectContaining({ level: 'warn', logger: 'service', msg: 'a b XXX_hidden_XXX XXX_hidden_XXX' })])
})
