/** Prometheus text, read strictly. */

export interface Family { readonly type: string, readonly help: string, readonly samples: ReadonlyMap<string, number> }

const sampleLine = /^([a-zA-Z_:][\w:]*)(\{[^}]*\})? (\S+)$/

/** Families by name; samples by their name and labels. Throws where a line is none, or comes before its HELP and TYPE. */
export function parseMetrics (text: string): ReadonlyMap<string, Family> {
  const families = new Map<string, { type: string, help: string, samples: Map<string, number> }>()
  if (!text.endsWith('\n')) throw new Error('the last line does not end')
  for (const line of text.split('\n')) {
    if (line === '') continue
    const [mark, kind, name = '', ...rest] = line.split(' ')
    if (mark === '#') {
      const family = families.get(name) ?? { type: '', help: '', samples: new Map<string, number>() }
      families.set(name, family)
      if (kind === 'HELP') family.help = rest.join(' ')
      else if (kind === 'TYPE') family.type = rest.join(' ')
      continue
    }
    const [, sample = '', labels = '', value = ''] = sampleLine.exec(line) ?? []
    const family = families.get(sample) ?? families.get(sample.replace(/_(?:bucket|sum|count)$/, ''))
    if (sample === '' || family === undefined || family.type === '' || Number.isNaN(Number(value.replace('Nan', '0').replace('+Inf', 'Infinity')))) throw new Error(`not a sample: ${line}`)
    family.samples.set(sample + labels, Number(value))
  }
  return families
}

export async function scrape (port: number): Promise<ReadonlyMap<string, Family>> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`)
  if (response.status !== 200 || response.headers.get('content-type')?.startsWith('text/plain; version=0.0.4; charset=utf-8') !== true) throw new Error(`${response.status} ${String(response.headers.get('content-type'))}`)
  return parseMetrics(await response.text())
}

/** Values of the cluster's metrics without labels, by name without the namespace. */
export const clusterValues = (families: ReadonlyMap<string, Family>): Record<string, number> => Object.fromEntries([...families].flatMap(([name, { samples }]) => {
  const value = samples.get(name)
  return name.startsWith('ipfscluster_') && value !== undefined ? [[name.replace('ipfscluster_', ''), value]] : []
}))
