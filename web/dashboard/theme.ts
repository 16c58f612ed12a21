/** Light, dark, or as the system has it. */
import { useState } from 'preact/hooks'

export type Theme = 'system' | 'light' | 'dark'
const key = 'pinswarm:theme'

/** What was chosen on this device. */
export function storedTheme (): Theme {
  try {
    const value = localStorage.getItem(key)
    return value === 'light' || value === 'dark' ? value : 'system'
  } catch {
    return 'system'
  }
}

/** Shows the page in this theme and remembers it. */
export function applyTheme (theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = theme
  try {
    if (theme === 'system') localStorage.removeItem(key)
    else localStorage.setItem(key, theme)
  } catch {
    // A browser that keeps nothing still shows the theme.
  }
}

/** The theme and the way to change it, for settings. */
export function useTheme (): readonly [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState(storedTheme)
  return [theme, (next) => { applyTheme(next); setTheme(next) }]
}
