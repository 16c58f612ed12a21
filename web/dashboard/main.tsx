/** The page. */
import { render } from 'preact'
import { App } from './app.tsx'
import { takeJoinLink } from './start.ts'
import { applyTheme, storedTheme } from './theme.ts'
import './styles/index.css'

applyTheme(storedTheme())
const root = document.getElementById('app')
if (root !== null) render(<App link={takeJoinLink()} />, root)
