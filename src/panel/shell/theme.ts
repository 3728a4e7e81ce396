/** Light, dark or as the system prefers: one attribute of the page, which styles/tokens.css reads. */
import { effect, signal } from '@preact/signals'

export const themes = ['system', 'light', 'dark'] as const
export type Theme = (typeof themes)[number]

const stored = localStorage.getItem('twinline-theme')

export const theme = signal<Theme>(themes.find((name) => name === stored) ?? 'system')

effect(() => {
  document.documentElement.dataset['theme'] = theme.value
  localStorage.setItem('twinline-theme', theme.value)
})
