// The emulated time in the header, and moving it.
import { html, useState } from '../core/view.js'
import { parse, timeStyle, useClock, useNow, writeDifference, writeDuration, writeLocal, writeUtc } from '../core/time.js'
import { Actions } from './actions.js'
import { announce } from './announce.js'
import { Picker } from './basics.js'

const STEPS = [
  ['', 'Next change'], ['PT1M', '1 minute'], ['PT1H', '1 hour'], ['P1D', '1 day'], ['P7D', '7 days'], ['P14D', '14 days']
]

/** Returns the action that advances the clock. */
export const advanceAction = (label, body, more = {}) => ({
  label,
  calls: [{ method: 'POST', path: '/_emulator/clock/advance', body }],
  done: ({ transitions }) => announce(`The clock was advanced. Steps changed ${transitions} times.`),
  ...more
})

/** The emulated time with "Advance". */
export function ClockBar() {
  const { data } = useClock()
  const [by, setBy] = useState('')
  const now = useNow()
  const write = timeStyle.use() === 'UTC' ? writeUtc : writeLocal
  const difference = writeDifference()
  const due = data?.nextDue
  const reason = !by && data && !due ? 'Nothing is due.' : undefined
  const title = `Emulated time, ${difference ?? 'the same as the real time'}`
  return html`
    <div class="clock" role="group" aria-label="Emulated time">
      <span class="now" title=${title}>
        <span>${write(now)}</span>
        <small class="quiet">${difference ?? (data?.rate === 0 ? 'stands still' : 'emulated time')}
          ${due ? ` · next change in ${writeDuration(parse(due) - now, 1)}` : ''}</small>
      </span>
      <${Picker} hidden label="Advance by" value=${by} change=${setBy} options=${STEPS} />
      <${Actions} list=${[advanceAction('Advance', by ? { by } : {}, { reason })]} />
    </div>`
}
