// When the production deployment begins: now, or at a date and time in the browser's zone.
import { html, useState } from '../core/view.js'
import { link } from '../core/steps.js'
import { emulatedNow, writeDifference, writeLocal, writeUtc, ZONE } from '../core/time.js'
import { Actions } from '../parts/actions.js'
import { Field } from '../parts/basics.js'

const HOUR = 3600e3
const pad = number => String(number).padStart(2, '0')

/** Writes a time as a field for local times has it. */
function asField(time) {
  const date = new Date(time)
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}T${pad(date.getHours())}:${pad(date.getMinutes())}`
}

/** The form of the schedule step. */
export function Schedule({ step }) {
  const [later, setLater] = useState(false)
  const [at, setAt] = useState(asField(emulatedNow() + HOUR))
  const time = new Date(at).getTime()
  const invalid = later && Number.isNaN(time)
  const planned = step.details.input?.schedule
  const difference = writeDifference()
  const body = later && !invalid ? { type: 'SCHEDULED', schedule: new Date(time).toISOString() } : { type: 'IMMEDIATE' }
  const stop = {
    label: 'Stop Execution', kind: 'negative', ask: 'The execution is cancelled.',
    calls: [{ method: 'PUT', path: link(step, 'pipeline/cancel'), body: { cancel: true } }]
  }
  const confirm = {
    label: 'Confirm', kind: 'accent', reason: invalid ? 'Choose a date and time.' : undefined,
    calls: [{ method: 'PUT', path: link(step, 'pipeline/advance'), body }]
  }
  const choice = (value, text) => html`
    <label class="choice"><input type="radio" name=${step.id} checked=${later === value} onChange=${() => setLater(value)} /> ${text}</label>`
  return html`
    ${planned && html`<p>Scheduled for <b title=${`${planned}\n${writeUtc(Date.parse(planned))}`}>${writeLocal(Date.parse(planned))}</b> (${ZONE}).</p>`}
    <fieldset>
      <legend>Start of the deployment</legend>
      ${choice(false, 'Now')} ${choice(true, 'Date and time')}
      ${later && html`
        <${Field} label=${`In ${ZONE}`} hint=${invalid ? undefined : `${writeUtc(time)} (${new Date(time).toISOString()})`}>
          <input type="datetime-local" value=${at} onInput=${event => setAt(event.target.value)} />
        </${Field}>`}
      ${difference && html`<p class="quiet">The emulated time counts. It is ${difference}.</p>`}
    </fieldset>
    <${Actions} list=${[stop, confirm]} />`
}
