// The journal of requests.
import { html, useState } from '../core/view.js'
import { call } from '../core/api.js'
import { useRead } from '../core/live.js'
import { useQuery } from '../core/routes.js'
import { Actions } from '../parts/actions.js'
import { Failure, Panel, SearchField, Table, Time } from '../parts/basics.js'
import { Badge } from '../parts/status.js'
import { RequestDialog } from './request.js'

const SHOWN = 100
const PATH = '/_emulator/requests'

/** The section. Its filters are part of the address. */
export function Journal() {
  const { get, set } = useQuery()
  const [shown, setShown] = useState(/** @type {any} */ (undefined))
  const filters = [['operationId', 'startPipeline'], ['method', 'PUT'], ['status', '412'], ['path', '/api/program/4/*']]
  const query = new URLSearchParams(filters.map(([name]) => [name, get(name)]).filter(([, value]) => value))
  const { data, error, again } = useRead(`journal ${query}`, () => call('GET', `${PATH}?${query}`), ({ type }) => type === 'request')
  const requests = data?.requests ?? []
  const clear = {
    label: 'Clear journal', kind: 'negative', ask: 'The recorded requests are forgotten.', done: again,
    calls: [{ method: 'DELETE', path: PATH }]
  }
  return html`
    <${Panel} title="Requests" aside=${html`<${Actions} list=${[clear]} />`}>
      <p class="quiet">The calls of your programs to Cloud Manager's API, newest first. Those of this console are not recorded.</p>
      <div class="filters">
        ${filters.map(([name, example]) => html`
          <${SearchField} key=${name} label=${LABELS[name]} placeholder=${example} whole value=${get(name)} change=${value => set(name, value)} />`)}
      </div>
      <${Failure} error=${error} />
      ${data && !requests.length && html`
        <p class="quiet">${query.size ? 'No recorded request matches.' : 'No requests are recorded. Call the API to see them here.'}</p>`}
      ${requests.length > 0 && html`
        <${Table} label="Requests" columns=${['Time', 'Request', 'Status', 'Details']}>
          ${requests.slice(0, SHOWN).map(it => html`<${Row} key=${it.number} request=${it} show=${() => setShown(it)} />`)}
        </${Table}>
        ${requests.length > SHOWN && html`<p class="quiet">The newest ${SHOWN} of ${requests.length}. Use the filters to see others.</p>`}`}
      ${shown && html`<${RequestDialog} request=${shown} close=${() => setShown(undefined)} />`}
    </${Panel}>`
}

const LABELS = { operationId: 'Operation', method: 'Method', status: 'Answered status', path: 'Path' }

/** Returns the tone of an HTTP status. */
const toneOf = status => !status || status >= 500 ? 'negative' : status >= 400 ? 'notice' : 'positive'

function Row({ request, show }) {
  return html`
    <tr>
      <td><${Time} at=${request.time} /></td>
      <td>
        <code>${request.method} ${request.path}${request.query ? `?${request.query}` : ''}</code>
        <small class="quiet">${request.operationId ?? ''}</small>
      </td>
      <td class="nowrap"><${Badge} tone=${toneOf(request.status)}>${request.status ?? 'No answer'}</${Badge}>
        ${request.fault && html` <${Badge} tone="notice">Fault</${Badge}>`}</td>
      <td><button type="button" onClick=${show}>Show</button></td>
    </tr>`
}
