import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { encodePinLine, pinFromJson } from '../../src/pin/pin-json.ts'

const lines = (await readFile(new URL('../vectors/wire/state-export.jsonl', import.meta.url), 'utf8')).trim().split('\n')

describe('state export', () => {
  for (const [index, line] of lines.entries()) {
    it(`reads and prints line ${index + 1} as Go does`, () => {
      expect(new TextDecoder().decode(encodePinLine(pinFromJson(JSON.parse(line)), { fromState: true }))).toBe(line)
    })
  }
})
