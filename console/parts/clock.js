// The emulated time in the header, and moving it.
import { html, useState } from '../view.js'
import { Action, announce } from './basics.js'
import { duration, emulatedNow, parse, style, useClock, useTick } from '../time.js'

const STEPS = [['', 'next due'], ['PT1M', '1 minute'], ['PT1H', '1 hour'], ['P1D', '1 day'], ['P7D', '7 days'], ['P14D', '14 days']]
const format = zone => new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium', timeZone: zone })
const zones = { local: format(undefined), UTC: format('UTC') }

/** Says what an advance of the clock did. */
export const tellAdvance = ({ transitions }) => announce(`The clock was advanced; ${transitions} changes of steps.`)

/** The emulated time with "advance". */
export function ClockBar() {
  const clock = useClock()
  const [by, setBy] = useState('')
  useTick()
  const now = emulatedNow()
  const away = Math.abs(now - Date.now()) > 60e3 ? `The emulated time is ${duration(Math.abs(now - Date.now()))} ${now > Date.now() ? 'ahead of' : 'behind'} the real time.` : 'The emulated time is the real time.'
  const due = clock.data?.nextDue
  const reason = !by && !due ? 'Nothing is due.' : undefined
  return html`<div class="clock">
    <span title=${away}>${zones[style.name === 'UTC' ? 'UTC' : 'local'].format(now)}
      <small class="quiet"> ${style.name === 'UTC' ? 'UTC' : ''} ${due ? `next due in ${duration(parse(due) - now)}` : ''}</small></span>
    <label><span class="hidden">Advance by</span><select value=${by} onChange=${event => setBy(event.target.value)}>
      ${STEPS.map(([value, label]) => html`<option key=${value} value=${value}>${label}</option>`)}</select></label>
    <${Action} key=${by} label="Advance" aria-label="Advance the clock" reason=${reason} done=${tellAdvance}
      calls=${[{ method: 'POST', path: '/_emulator/clock/advance', body: by ? { by } : {} }]} />
  </div>`
}
