// When the production deployment begins: now, or at a date and time in the browser's zone.
import { html, useState } from '../view.js'
import { link } from '../steps.js'
import { emulatedNow } from '../time.js'
import { Action, Field } from './basics.js'

const pad = number => String(number).padStart(2, '0')

/** Writes a time as a field for local times has it. */
export function asLocal(time) {
  const date = new Date(time)
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}T${pad(date.getHours())}:${pad(date.getMinutes())}`
}

/** The form of the schedule step. */
export function Schedule({ step }) {
  const [kind, setKind] = useState('now')
  const [at, setAt] = useState(asLocal(emulatedNow() + 3600e3))
  const time = new Date(at)
  const invalid = kind === 'later' && Number.isNaN(time.getTime())
  const body = kind === 'now' ? { type: 'IMMEDIATE' } : { type: 'SCHEDULED', schedule: invalid ? '' : time.toISOString() }
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
  const planned = step.details.input?.schedule
  return html`<div class="schedule">
    ${planned && html`<p>Scheduled for <b title=${planned}>${new Date(planned).toLocaleString()}</b> (${zone}).</p>`}
    <fieldset class="row"><legend>Start of the deployment</legend>
      <label><input type="radio" name="start" checked=${kind === 'now'} onChange=${() => setKind('now')} /> Now</label>
      <label><input type="radio" name="start" checked=${kind === 'later'} onChange=${() => setKind('later')} /> Date and time</label>
      ${kind === 'later' && html`<${Field} label=${`In ${zone}`} hint=${invalid ? 'Choose a date and time.' : `${time.toISOString()}; the emulated time counts.`}>
        <input type="datetime-local" value=${at} onInput=${event => setAt(event.target.value)} /></${Field}>`}
    </fieldset>
    <div class="row">
      <${Action} label="Stop Execution" kind="danger" ask="The execution is cancelled." calls=${[{ method: 'PUT', path: link(step, 'pipeline/cancel'), body: { cancel: true } }]} />
      <${Action} label="Confirm" kind="primary" reason=${invalid ? 'The time is missing.' : undefined} calls=${[{ method: 'PUT', path: link(step, 'pipeline/advance'), body }]} /></div>
  </div>`
}
