// The clock, and what is due next.
import { html, useState } from '../core/view.js'
import { call } from '../core/api.js'
import { useRead } from '../core/live.js'
import { Link, paths } from '../core/routes.js'
import { useClock, writeDifference } from '../core/time.js'
import { Actions } from '../parts/actions.js'
import { announce } from '../parts/announce.js'
import { Failure, Field, Panel, Table, Time } from '../parts/basics.js'
import { advanceAction } from '../parts/clock.js'

const KINDS = {
  START: 'starts', STEP_START: 'starts', END: 'ends', WORK_DONE: 'ends its work', TIMEOUT: 'times out without an answer',
  SCHEDULED: 'is due as scheduled', CANCELLED: 'is cancelled'
}

/** The section. */
export function Clock() {
  const clock = useClock()
  const timers = useRead('timers', () => call('GET', '/_emulator/timers'), ({ type }) => type === 'execution' || type === 'clock')
  const now = clock.data?.now
  return html`
    <${Panel} title="Clock and timers" aside=${now && html`<span class="quiet"><${Time} at=${now} /></span>`}>
      <p class="quiet">
        The emulated time is ${(now && writeDifference()) ?? 'the real time'}. Steps, time-outs, tokens and logs follow it.
      </p>
      <div class="filters">
        <${Rate} current=${clock.data?.rate} />
        <${Move} />
      </div>
      <${Failure} error=${timers.error} />
      ${timers.data?.timers.length === 0 && html`<p class="quiet">Nothing is due: no step runs, and none waits until a time.</p>`}
      ${timers.data?.timers.length > 0 && html`
        <${Table} label="Timers" columns=${['Due', 'What', 'Execution', 'Actions']}>
          ${timers.data.timers.map(it => html`<${Timer} key=${it.executionId + it.dueAt} timer=${it} />`)}
        </${Table}>`}
    </${Panel}>`
}

const Timer = ({ timer }) => html`
  <tr>
    <td><${Time} at=${timer.dueAt} /></td>
    <td>${timer.action ?? 'The execution'} ${KINDS[timer.kind] ?? timer.kind}</td>
    <td><${Link} to=${paths.execution({ ...timer, id: timer.executionId })}>${timer.executionId}</${Link}></td>
    <td><${Actions} list=${[advanceAction('Advance the clock to then', { to: timer.dueAt })]} /></td>
  </tr>`

function Rate({ current }) {
  const [wanted, setWanted] = useState('')
  const rate = wanted === '' ? current : Number(wanted)
  const set = {
    label: 'Set rate',
    calls: [{ method: 'PUT', path: '/_emulator/clock', body: { rate } }],
    done: () => {
      setWanted('')
      announce(rate === 0 ? 'The clock stands still.' : `The clock runs at rate ${rate}.`)
    }
  }
  return html`
    <${Field} label="Rate (1: real time, 0: stands still)">
      <input type="number" min="0" step="any" value=${wanted === '' ? current ?? '' : wanted} onInput=${event => setWanted(event.target.value)} />
    </${Field}>
    <${Actions} list=${[set]} />`
}

function Move() {
  const [to, setTo] = useState('')
  const time = new Date(to).getTime()
  const reason = Number.isNaN(time) ? 'Choose a date and time.' : undefined
  const body = reason ? {} : { to: new Date(time).toISOString() }
  return html`
    <${Field} label="Advance to (local time)">
      <input type="datetime-local" step="1" value=${to} onInput=${event => setTo(event.target.value)} />
    </${Field}>
    <${Actions} list=${[advanceAction('Advance to this time', body, { reason })]} />`
}
