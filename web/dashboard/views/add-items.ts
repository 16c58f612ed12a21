/** What was dropped or chosen, as entries to upload: files, folders with all that is in them. */
import type { UploadEntry } from '../../../src/api/client.ts'
import type { UploadItem } from '../uploads.ts'

const bytesOf = (entries: readonly UploadEntry[]): number => entries.reduce((sum, entry) => sum + (entry.kind === 'file' && entry.content instanceof Blob ? entry.content.size : 0), 0)

/** Siblings in order of their names, folders before what is in them: the order does not depend on the disk. */
const inOrder = (entries: readonly UploadEntry[]): readonly UploadEntry[] => entries.toSorted((a, b) => {
  const [x, y] = [a.path.split('/'), b.path.split('/')]
  for (let at = 0; at < Math.min(x.length, y.length); at++) {
    const [left = '', right = ''] = [x[at], y[at]]
    if (left !== right) return left < right ? -1 : 1
  }
  return x.length - y.length
})

const itemOf = (title: string, isFolder: boolean, entries: readonly UploadEntry[]): UploadItem => ({ title, isFolder, bytes: bytesOf(entries), entries: inOrder(entries) })

/** Chosen files; those of a chosen folder carry their paths. */
export function itemsOfFiles (files: readonly File[]): readonly UploadItem[] {
  const folders = new Map<string, UploadEntry[]>()
  const items: UploadItem[] = []
  for (const file of files) {
    const path = file.webkitRelativePath
    const folder = path.includes('/') ? path.slice(0, path.indexOf('/')) : undefined
    const entry: UploadEntry = { kind: 'file', path: folder === undefined ? file.name : path, content: file }
    if (folder === undefined) items.push(itemOf(file.name, false, [entry]))
    else folders.set(folder, [...folders.get(folder) ?? [], entry])
  }
  return [...items, ...[...folders].map(([name, entries]) => itemOf(name, true, entries))]
}

const fileOf = async (entry: FileSystemFileEntry): Promise<File> => await new Promise((resolve, reject) => { entry.file(resolve, reject) })

async function childrenOf (folder: FileSystemDirectoryEntry): Promise<readonly FileSystemEntry[]> {
  const reader = folder.createReader()
  const all: FileSystemEntry[] = []
  for (;;) {
    // Browsers hand out a hundred at a time, and an empty list at the end.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => { reader.readEntries(resolve, reject) })
    if (some.length === 0) return all
    all.push(...some)
  }
}

async function collect (entry: FileSystemEntry, path: string, into: UploadEntry[]): Promise<void> {
  if (entry.isFile) into.push({ kind: 'file', path, content: await fileOf(entry as FileSystemFileEntry) })
  if (!entry.isDirectory) return
  into.push({ kind: 'directory', path })
  for (const child of await childrenOf(entry as FileSystemDirectoryEntry)) await collect(child, `${path}/${child.name}`, into)
}

/** Dropped files and folders. Call it within the event: browsers take the list away after it. */
export async function itemsOfDrop ({ items, files }: DataTransfer): Promise<readonly UploadItem[]> {
  const entries = [...items].flatMap((item) => item.kind === 'file' ? [item.webkitGetAsEntry()] : []).filter((entry) => entry !== null)
  if (entries.length === 0) return itemsOfFiles([...files])
  return await Promise.all(entries.map(async (entry) => {
    const into: UploadEntry[] = []
    await collect(entry, entry.name, into)
    return itemOf(entry.name, entry.isDirectory, into)
  }))
}

/** Several things as one folder. */
export const together = (items: readonly UploadItem[], title: string): UploadItem => itemOf(title, true, items.flatMap(({ entries }) => entries))
