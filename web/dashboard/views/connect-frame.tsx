/** The frame of the pages before there is a session. */
import type { ComponentChildren, JSX } from 'preact'
import { Mark } from '../ui/mark.tsx'
import '../styles/connect.css'

export function ConnectFrame ({ title, lead, children }: { readonly title: string, readonly lead?: ComponentChildren, readonly children: ComponentChildren }): JSX.Element {
  return (
    <div class="connect">
      <header class="connect-brand"><Mark size={28} /><span>pinswarm</span></header>
      <main class="connect-main">
        <div class="connect-title"><h1>{title}</h1>{lead !== undefined && <p>{lead}</p>}</div>
        {children}
      </main>
    </div>
  )
}
