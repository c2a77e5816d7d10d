// Short messages: shown for some seconds, and read by screen readers.
import { html, useEffect } from '../core/view.js'
import { store } from '../core/store.js'

const SHOWN = 5000
const message = store('')
const spoken = store('')

/** Shows a message. */
export const announce = text => message.set(text)

/** Tells only screen readers what the page shows anyway. */
export const speak = text => spoken.set(text)

/** The place of the messages. */
export function Announcements() {
  const text = message.use()
  const quiet = spoken.use()
  useEffect(() => {
    if (!text) return undefined
    const timer = setTimeout(() => message.set(''), SHOWN)
    return () => clearTimeout(timer)
  }, [text])
  return html`<div class="toast" role="status">${text}</div><div class="hidden" role="status">${quiet}</div>`
}
