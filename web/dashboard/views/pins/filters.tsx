/** Search and filters above the list. */
import type { RefObject } from 'preact'
import type { JSX } from 'preact'
import { Button } from '../../ui/button.tsx'
import { Select } from '../../ui/field.tsx'
import { Icon } from '../../ui/icons.tsx'
import type { PinList } from './pin-list.ts'
import type { StatusChoice, TypeChoice } from './pin-order.ts'

const statuses: ReadonlyArray<readonly [StatusChoice, string]> = [['any', 'Any status'], ['failed', 'With errors'], ['busy', 'In progress'], ['settled', 'Settled']]
const types: ReadonlyArray<readonly [TypeChoice, string]> = [['any', 'Any type'], ['pin', 'Pins'], ['meta-pin', 'Sharded'], ['clusterdag-pin', 'Cluster DAGs'], ['shard-pin', 'Shards']]

export function PinFilters ({ list, searchRef }: { readonly list: PinList, readonly searchRef: RefObject<HTMLInputElement | null> }): JSX.Element {
  const { criteria } = list
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') {
      if (criteria.search !== '') list.show({ ...criteria, search: '' })
      else searchRef.current?.blur()
      event.preventDefault()
    } else if (event.key === 'ArrowDown' || event.key === 'Enter') {
      document.querySelector<HTMLElement>('[data-pin-grid]')?.focus()
      event.preventDefault()
    }
  }
  return (
    <div class="filters" role="search" aria-label="Pins">
      <div class="search">
        <Icon name="search" />
        <input
          ref={searchRef} class="input" type="search" aria-label="Search pins by name or CID" placeholder="Search name or CID" autocomplete="off" spellcheck={false}
          value={criteria.search} onInput={(event) => { list.show({ ...list.criteria, search: event.currentTarget.value }) }} onKeyDown={onKey}
        />
        <kbd aria-hidden="true">/</kbd>
      </div>
      <Select quiet label="Status" value={criteria.status} options={statuses} onChange={(status) => { list.show({ ...criteria, status }) }} />
      <Select quiet label="Type" value={criteria.type} options={types} onChange={(type) => { list.show({ ...criteria, type }) }} />
      <Button class="mine" pressed={criteria.mine} onClick={() => { list.show({ ...criteria, mine: !criteria.mine }) }}>On this peer</Button>
    </div>
  )
}
