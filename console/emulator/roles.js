// The clients of the seed, and what their roles may do.
import { html } from '../core/view.js'
import { actAs, listClients } from '../core/api.js'
import { useRead } from '../core/live.js'
import { ROLES, session } from '../core/session.js'
import { announce } from '../parts/announce.js'
import { Failure, Panel, Table } from '../parts/basics.js'
import { Badge } from '../parts/status.js'

/** The section. */
export function Roles() {
  const { data, error } = useRead('clients', listClients)
  const caller = session.use()
  const choose = id => actAs(id).catch(failure => announce(failure.message))
  const button = it => it.clientId === caller?.apiKey
    ? html`<button type="button" onClick=${() => choose('')}>Stop acting as ${it.clientId}</button>`
    : html`<button type="button" onClick=${() => choose(it.clientId)}>Act as ${it.clientId}</button>`
  return html`
    <${Panel} title="Roles">
      <p class="quiet">The console can act as one of the clients of the seed; then it may do what their roles may.
        Its token is kept in this page only.</p>
      <${Failure} error=${error} />
      ${data?.length === 0 && html`<p>The seed has no clients.</p>`}
      ${data?.length > 0 && html`
        <${Table} label="Roles of clients" columns=${['Client', 'Organisation', 'Roles', 'Actions']}>
          ${data.map(it => html`
            <tr key=${it.clientId}>
              <th scope="row">${it.clientId}${it.clientId === caller?.apiKey && html` <${Badge} tone="info">You</${Badge}>`}</th>
              <td>${it.imsOrgId}</td>
              <td>${it.roles.map(role => ROLES[role] ?? role).join(', ') || 'None'}</td>
              <td>${button(it)}</td>
            </tr>`)}
        </${Table}>`}
    </${Panel}>`
}
