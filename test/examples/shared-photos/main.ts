/** A web app on a shared pinset: drop a photo, every open tab keeps it. Opened with a join link (`#join=…`), or asks for one. */
import { createWebPeer } from 'pinswarm/web'
import type { WebPeer } from 'pinswarm/web'

const element = <T extends HTMLElement> (id: string): T => document.getElementById(id) as T
const state = (text: string): void => { element('state').textContent = text }
const shown = new Set<string>()

/** Photos are the pins of this cluster that say so. */
async function show (peer: WebPeer): Promise<void> {
  for await (const pin of peer.client.pins()) {
    const cid = pin.cid.toString()
    if (pin.metadata['kind'] !== 'photo' || shown.has(cid)) continue
    shown.add(cid)
    const item = document.createElement('li')
    const image = document.createElement('img')
    image.alt = pin.name
    item.append(image)
    element('photos').prepend(item)
    const parts: Uint8Array<ArrayBuffer>[] = []
    for await (const part of peer.client.cat(cid)) parts.push(new Uint8Array(part))
    image.src = URL.createObjectURL(new Blob(parts))
  }
  state(shown.size === 0 ? 'No photos yet.' : `${shown.size} ${shown.size === 1 ? 'photo' : 'photos'}, kept here and by every open tab.`)
}

async function keep (peer: WebPeer, files: Iterable<File>): Promise<void> {
  for (const file of files) {
    state(`Adding ${file.name}…`)
    const entries = [{ kind: 'file', path: file.name, content: file }] as const
    for await (const { cid } of peer.add(entries, { pin: { name: file.name, metadata: { kind: 'photo' } } })) state(`Added ${file.name}: ${cid?.toString() ?? ''}`)
  }
}

async function run (join?: string): Promise<void> {
  const peer = await createWebPeer({ join })
  history.replaceState(null, '', location.pathname + location.search)
  await peer.start()
  element('join').hidden = true
  const drop = element('drop')
  drop.hidden = false
  const add = (files: Iterable<File>): void => { keep(peer, files).catch((error: unknown) => { state(String(error)) }) }
  element<HTMLInputElement>('files').addEventListener('change', ({ target }) => { add((target as HTMLInputElement).files ?? []) })
  drop.addEventListener('dragover', (event) => { event.preventDefault(); drop.classList.add('over') })
  drop.addEventListener('dragleave', () => { drop.classList.remove('over') })
  drop.addEventListener('drop', (event) => { event.preventDefault(); drop.classList.remove('over'); add(event.dataTransfer?.files ?? []) })
  await show(peer)
  for await (const event of peer.client.events({ types: ['pin:added'] })) if (event.type === 'pin:added') await show(peer)
}

function askForLink (reason: unknown): void {
  state(reason instanceof Error ? reason.message : String(reason))
  const form = element<HTMLFormElement>('join')
  form.hidden = false
  form.onsubmit = (event) => {
    event.preventDefault()
    form.hidden = true
    run(element<HTMLInputElement>('link').value).catch(askForLink)
  }
}

run(location.hash.startsWith('#join=') ? location.hash : undefined).catch(askForLink)
