/** Files and folders can be dropped on every view; they wait on the one that adds. */
import { useEffect, useState } from 'preact/hooks'
import type { JSX } from 'preact'
import { navigate } from '../route.ts'
import type { UploadItem } from '../uploads.ts'
import { Icon } from '../ui/icons.tsx'
import { toastError } from '../ui/toast.tsx'
import { itemsOfDrop } from './add-items.ts'

let staged: readonly UploadItem[] = []
const listeners = new Set<() => void>()

/** What waits to be added, and the way to change it. */
export function useStaged (): readonly [readonly UploadItem[], (items: readonly UploadItem[]) => void] {
  const [items, setItems] = useState(staged)
  useEffect(() => {
    const onChange = (): void => { setItems(staged) }
    listeners.add(onChange)
    onChange()
    return () => { listeners.delete(onChange) }
  }, [])
  return [items, stage]
}

export function stage (items: readonly UploadItem[]): void {
  staged = items
  for (const listener of listeners) listener()
}

const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') === true

async function take (transfer: DataTransfer): Promise<void> {
  try {
    const items = await itemsOfDrop(transfer)
    if (items.length === 0) return
    stage([...staged, ...items])
    navigate('add')
  } catch (error) {
    toastError('Could not read what was dropped', error)
  }
}

/** The veil that shows where a drop goes. */
export function AddDrop (): JSX.Element | null {
  const [isOver, setIsOver] = useState(false)
  useEffect(() => {
    const abort = new AbortController()
    const { signal } = abort
    addEventListener('dragover', (event) => { if (hasFiles(event)) { event.preventDefault(); setIsOver(true) } }, { signal })
    addEventListener('dragleave', (event) => { if (event.relatedTarget === null) setIsOver(false) }, { signal })
    addEventListener('drop', (event) => {
      setIsOver(false)
      if (event.dataTransfer === null || !hasFiles(event)) return
      event.preventDefault()
      void take(event.dataTransfer)
    }, { signal })
    return () => { abort.abort() }
  }, [])
  return isOver ? <div class="drop-veil"><div><Icon name="upload" size={32} /><p>Drop to add</p></div></div> : null
}
