// Subscriptions to events, and what was delivered.
import { html, useState } from '../core/view.js'
import { call } from '../core/api.js'
import { useRead } from '../core/live.js'
import { Actions } from '../parts/actions.js'
import { announce } from '../parts/announce.js'
import { Dialog, Facts, Failure, Field, Panel, Table, Time } from '../parts/basics.js'
import { Badge } from '../parts/status.js'

const PATH = '/_emulator/webhooks'
const TONES = { DELIVERED: 'positive', FAILED: 'negative', PENDING: 'info' }

async function read() {
  const [hooks, deliveries] = await Promise.all([call('GET', PATH), call('GET', '/_emulator/deliveries?limit=50')])
  return { ...hooks, ...deliveries }
}

/** The section. */
export function Webhooks() {
  const { data, error, again } = useRead('webhooks', read, ({ type }) => type === 'delivery' || type === 'webhook')
  const [shown, setShown] = useState('')
  const delivery = data?.deliveries.find(({ id }) => id === shown)
  return html`
    <${Panel} title="Webhooks">
      <${Failure} error=${error} />
      ${data?.webhooks.length === 0 && html`<p class="quiet">Nobody subscribes to events. Add a webhook here or by a seed.</p>`}
      ${data?.webhooks.length > 0 && html`<ul class="rows">${data.webhooks.map(it => html`<${Hook} key=${it.id} hook=${it} />`)}</ul>`}
      <details><summary>Add a webhook</summary><${NewWebhook} done=${again} /></details>
      ${data?.deliveries.length > 0 && html`
        <${Table} label="Deliveries" columns=${['Delivery', 'Event', 'Execution', 'Status', 'Attempts', 'Actions']}>
          ${data.deliveries.map(it => html`<${Delivery} key=${it.id} delivery=${it} show=${() => setShown(it.id)} />`)}
        </${Table}>`}
      ${delivery && html`<${DeliveryDialog} delivery=${delivery} close=${() => setShown('')} />`}
    </${Panel}>`
}

const Hook = ({ hook }) => html`
  <li>
    <span><b>${hook.url}</b><small class="quiet">${hook.clientId} · ${hook.events.join(', ')}</small></span>
    <${Actions} list=${[{ label: 'Remove', kind: 'negative', ask: 'The subscription ends.', calls: [{ method: 'DELETE', path: `${PATH}/${hook.id}` }] }]} />
  </li>`

function NewWebhook({ done }) {
  const [hook, setHook] = useState({ url: '', tenantId: '1', clientId: 'console', clientSecret: '' })
  const text = (name, label, placeholder, type = 'text') => html`
    <${Field} label=${label}>
      <input type=${type} autocomplete="off" value=${hook[name]} placeholder=${placeholder}
        onInput=${event => setHook({ ...hook, [name]: event.target.value })} />
    </${Field}>`
  const add = {
    label: 'Add webhook', reason: hook.url && hook.clientSecret ? undefined : 'A webhook needs an address and a secret.',
    calls: [{ method: 'POST', path: PATH, body: { ...hook, events: ['all'] } }], done
  }
  return html`
    <div class="filters">
      ${text('url', 'Address', 'http://127.0.0.1:9000/webhook')}
      ${text('tenantId', 'Tenant')}
      ${text('clientId', 'Client')}
      ${text('clientSecret', 'Secret that signs the events', '', 'password')}
      <${Actions} list=${[add]} />
    </div>`
}

const redeliver = ({ id }) => ({
  label: 'Redeliver', calls: [{ method: 'POST', path: `/_emulator/deliveries/${id}/redeliver` }], done: () => announce('The event is delivered again.')
})

const Delivery = ({ delivery, show }) => html`
  <tr>
    <th scope="row">${delivery.id}</th>
    <td>${delivery.event}</td>
    <td>${delivery.executionId}</td>
    <td><${Badge} tone=${TONES[delivery.status]}>${delivery.status}</${Badge}></td>
    <td>${delivery.attempts.map(it => it.status ?? it.error).join(', ') || '-'}</td>
    <td><${Actions} list=${[redeliver(delivery)]}><button type="button" onClick=${show}>Show</button></${Actions}></td>
  </tr>`

const DeliveryDialog = ({ delivery, close }) => html`
  <${Dialog} title=${`Delivery ${delivery.id}`} close=${close} wide>
    <${Facts} of=${[['Event', delivery.event], ['Status', delivery.status], ['Execution', delivery.executionId],
      ['Next attempt', delivery.nextAttemptAt && html`<${Time} at=${delivery.nextAttemptAt} />`]].map(([name, value]) => [name, value || undefined])} />
    <h3>Attempts</h3>
    ${!delivery.attempts.length && html`<p class="quiet">There was none yet.</p>`}
    <ul class="rows">
      ${delivery.attempts.map(it => html`
        <li key=${it.at}>
          <span><${Time} at=${it.at} /><small class="quiet">${it.duration} ms</small></span>
          <span>${it.status ?? it.error} ${it.answer}</span>
        </li>`)}
    </ul>
    <h3>Body</h3>
    <pre tabindex="0">${JSON.stringify(delivery.body, null, 2)}</pre>
  </${Dialog}>`
