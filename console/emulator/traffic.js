// Faults, and the journal of requests.
import { html, useState } from '../view.js'
import { call } from '../api.js'
import { useRead } from '../live.js'
import { Action, Dialog, Failure, Field, Table, Time } from '../parts/basics.js'

/** How many requests are shown. */
const SHOWN = 50
const PRESETS = ['flaky-401', 'outage-503', 'reset-mid-log', 'slow']

/** The sections. */
export const Traffic = () => html`<${Faults} /><${Journal} />`

function Faults() {
  const { data, error, again } = useRead('faults', () => call('GET', '/_emulator/faults'), ({ type }) => type === 'request')
  const [preset, setPreset] = useState(PRESETS[0])
  const path = '/_emulator/faults'
  return html`<section class="card" aria-label="Faults"><h2>Faults</h2><${Failure} error=${error} />
    <div class="row"><${Field} label="Preset"><select value=${preset} onChange=${event => setPreset(event.target.value)}>${PRESETS.map(name => html`<option key=${name} selected=${name === preset}>${name}</option>`)}</select></${Field}>
      <${Action} label="Add fault" calls=${[{ method: 'POST', path, body: { preset } }]} done=${again} /></div>
    ${data?.faults.length ? html`<ul class="rows">${data.faults.map(it => html`<li key=${it.id}><span><b>${it.preset ?? it.fault ?? it.status ?? it.latency}</b><small class="quiet">${it.operation ?? 'all of /api'} · applied ${it.used} of ${it.matched} times</small></span>
      <${Action} label="Remove" calls=${[{ method: 'DELETE', path: `${path}/${it.id}` }]} done=${again} /></li>`)}</ul>` : html`<p class="quiet">No faults are injected.</p>`}</section>`
}

function Journal() {
  const [filter, setFilter] = useState('')
  const [shown, setShown] = useState()
  const query = filter ? `?operationId=${encodeURIComponent(filter)}` : ''
  const { data, error, again } = useRead(`journal ${query}`, () => call('GET', `/_emulator/requests${query}`), ({ type }) => type === 'request')
  return html`<section class="card" aria-label="Requests"><h2>Requests</h2>
    <div class="row"><${Field} label="Operation"><input value=${filter} placeholder="startPipeline" onInput=${event => setFilter(event.target.value)} /></${Field}>
      <${Action} label="Clear journal" ask="The recorded requests are forgotten." calls=${[{ method: 'DELETE', path: '/_emulator/requests' }]} done=${again} /></div>
    <${Failure} error=${error} />
    ${data?.requests.length ? html`<${Table} label="Requests" columns=${['Time', 'Request', 'Status', 'Details']}>${data.requests.slice(0, SHOWN).map(it => html`<tr key=${it.number}><td><${Time} at=${it.time} /></td>
      <td><b>${it.method}</b> ${it.path}${it.query ? `?${it.query}` : ''}<small class="quiet">${it.operationId ?? ''}</small></td><td>${it.status ?? '-'}</td>
      <td><button type="button" onClick=${() => setShown(it)}>Show</button></td></tr>`)}</${Table}>` : html`<p class="quiet">No requests are recorded.</p>`}
    ${shown && html`<${Dialog} title=${`Request ${shown.number}`} close=${() => setShown()} wide><pre tabindex="0">${JSON.stringify(shown, null, 2)}</pre></${Dialog}>`}</section>`
}
