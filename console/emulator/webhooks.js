// Subscriptions to events, and what was delivered.
import { html } from '../view.js'
import { call } from '../api.js'
import { useRead } from '../live.js'
import { Action, Failure, Table } from '../parts/basics.js'

/** The section. */
export function Webhooks() {
  const { data, error } = useRead('webhooks', async () => {
    const [hooks, deliveries] = await Promise.all([call('GET', '/_emulator/webhooks'), call('GET', '/_emulator/deliveries?limit=50')])
    return { ...hooks, ...deliveries }
  }, ({ type }) => type === 'delivery')
  return html`<section class="card" aria-label="Webhooks"><h2>Webhooks</h2><${Failure} error=${error} />
    ${data?.webhooks.length ? html`<ul class="rows">${data.webhooks.map(it => html`<li key=${it.id}><span><b>${it.url}</b><small class="quiet">${it.events.join(', ')}</small></span>
      <${Action} label="Remove" ask="The subscription ends." calls=${[{ method: 'DELETE', path: `/_emulator/webhooks/${it.id}` }]} /></li>`)}</ul>` : html`<p class="quiet">No webhooks are registered. Add one by a seed.</p>`}
    ${data?.deliveries.length > 0 && html`<${Table} label="Deliveries" columns=${['Delivery', 'Event', 'Status', 'Attempts', 'Actions']}>${data.deliveries.map(it => html`<tr key=${it.id}><th scope="row">${it.id}</th>
      <td>${it.event}</td><td>${it.status}</td><td>${it.attempts?.map(attempt => attempt.status ?? attempt.error).join(', ')}</td>
      <td><${Action} label="Redeliver" calls=${[{ method: 'POST', path: `/_emulator/deliveries/${it.id}/redeliver` }]} /></td></tr>`)}</${Table}>`}</section>`
}
