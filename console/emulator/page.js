// The page of the emulator: everything that Cloud Manager itself does not have.
import { html, useState } from '../view.js'
import { call } from '../api.js'
import { useRead } from '../live.js'
import { Link, paths } from '../routes.js'
import { Action, Failure, Field, Table, Time, announce } from '../parts/basics.js'
import { tellAdvance } from '../parts/clock.js'
import { style, useClock } from '../time.js'
import { Scenarios } from './scenarios.js'
import { Traffic } from './traffic.js'
import { Webhooks } from './webhooks.js'

/** The page. */
export function Emulator() {
  return html`<h1>Emulator</h1><${Info} /><${Clock} /><${Scenarios} /><${Traffic} /><${Webhooks} /><${State} />`
}

function Info() {
  const { data, error } = useRead('info', () => call('GET', '/_emulator/info'), ({ type }) => type === 'execution' || type === 'program')
  if (!data) return html`<${Failure} error=${error} />`
  const { counts, options } = data
  return html`<section class="card" aria-label="Info"><h2>Info</h2><p><a href="/openapi.yaml">API description</a> · version ${data.version} · pace ${options.pace} · authentication ${options.auth}</p>
    <p class="quiet">${counts.programs} programs, ${counts.pipelines} pipelines, ${counts.executions} executions, ${counts.runningExecutions} running</p></section>`
}

function Clock() {
  const clock = useClock()
  const timers = useRead('timers', () => call('GET', '/_emulator/timers'), ({ type }) => type === 'execution' || type === 'clock')
  const [rate, setRate] = useState('')
  const [shown, setShown] = useState(style.name)
  const choose = event => {
    style.name = event.target.value
    localStorage.setItem('times', style.name)
    setShown(style.name)
  }
  const wanted = Number(rate === '' ? clock.data?.rate ?? 1 : rate)
  return html`<section class="card" aria-label="Clock and timers"><h2>Clock and timers</h2>
    <div class="row"><${Field} label="Rate (0 stands still)"><input type="number" min="0" step="any" value=${rate || clock.data?.rate} onInput=${event => setRate(event.target.value)} /></${Field}>
      <${Action} label="Set rate" calls=${[{ method: 'PUT', path: '/_emulator/clock', body: { rate: wanted } }]} done=${() => announce('The rate is set.')} />
      <${Field} label="Show times"><select value=${shown} onChange=${choose}>${['local', 'UTC', 'relative'].map(name => html`<option key=${name} value=${name}>${name}</option>`)}</select></${Field}></div>
    <${Failure} error=${timers.error} />
    ${timers.data?.timers.length === 0 ? html`<p class="quiet">Nothing is due.</p>` : html`<${Table} label="Timers" columns=${['Due', 'What', 'Execution', 'Actions']}>
      ${timers.data?.timers.map(it => html`<tr key=${it.executionId + it.dueAt}><td><${Time} at=${it.dueAt} /></td><td>${it.action} · ${it.kind}</td>
        <td><${Link} to=${paths.execution({ ...it, id: it.executionId })}>${it.executionId}</${Link}></td>
        <td><${Action} label="Advance to then" done=${tellAdvance} calls=${[{ method: 'POST', path: '/_emulator/clock/advance', body: { to: it.dueAt } }]} /></td></tr>`)}</${Table}>`}</section>`
}

function State() {
  const [seed, setSeed] = useState('')
  const [error, setError] = useState()
  const restore = async event => {
    const [file] = event.target.files
    await call('PUT', '/_emulator/state', file, { headers: { 'content-type': 'application/vnd.sqlite3' } }).then(() => { setError(); announce('The snapshot is restored.') }, setError)
  }
  return html`<section class="card" aria-label="Snapshots, reset and seed"><h2>Snapshots, reset and seed</h2>
    <div class="row"><a href="/_emulator/state" download="cloudmanager.db">Download a snapshot</a>
      <${Field} label="Restore a snapshot"><input type="file" onChange=${restore} /></${Field}>
      <${Action} label="Reset" kind="danger" ask="Everything goes back to the seed: data, counters, clock, journal, faults and scenarios." calls=${[{ method: 'POST', path: '/_emulator/reset', body: {} }]} done=${() => announce('The emulator is reset.')} /></div>
    <${Failure} error=${error} />
    <${Field} label="Seed to add, as YAML or JSON"><textarea rows="6" value=${seed} onInput=${event => setSeed(event.target.value)}></textarea></${Field}>
    <${Action} label="Add seed" reason=${seed ? undefined : 'The seed is empty.'} calls=${[{ method: 'POST', path: '/_emulator/seed', body: seed }]} done=${() => announce('The seed is added.')} /></section>`
}
