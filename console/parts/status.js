// How a status is shown: always with words, never with colour alone.
import { html } from '../core/view.js'

const WORDS = {
  NOT_STARTED: 'Not started', RUNNING: 'In progress', WAITING: 'Waiting', FINISHED: 'Finished', FAILED: 'Failed',
  ERROR: 'Error', CANCELLED: 'Cancelled', CANCELLING: 'Cancelling', ROLLED_BACK: 'Rolled back',
  ROLLING_BACK: 'Rolling back', INCOMPLETE: 'Incomplete'
}
const TONES = {
  RUNNING: 'info', CANCELLING: 'info', ROLLING_BACK: 'info', FINISHED: 'positive', WAITING: 'notice',
  FAILED: 'negative', ERROR: 'negative', CANCELLED: 'negative', INCOMPLETE: 'negative'
}

/** Returns the word for a status. */
export const wordFor = status => WORDS[status] ?? status

/** Returns the colour of a status by its meaning. */
export const toneOf = status => TONES[status] ?? 'neutral'

/** A label on a coloured ground. */
export const Badge = ({ tone = 'neutral', title, children }) => html`<span class="badge" data-tone=${tone} title=${title}>${children}</span>`

/** The status of an execution as a badge. */
export const StatusBadge = ({ of }) => html`<${Badge} tone=${toneOf(of)}>${wordFor(of)}</${Badge}>`

/** A dot with a word beside it. */
export const Light = ({ tone = 'neutral', children }) => html`
  <span class="light" data-tone=${tone}><span class="dot" aria-hidden="true"></span>${children}</span>`

/** The status of a step or a resource as a dot with its word. */
export const StatusLight = ({ of }) => html`<${Light} tone=${toneOf(of)}>${wordFor(of)}</${Light}>`
