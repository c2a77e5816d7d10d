// The choice of whom to act as, where authentication is strict.
import { html } from '../core/view.js'
import { actAs, listClients } from '../core/api.js'
import { useRead } from '../core/live.js'
import { Link } from '../core/routes.js'
import { ROLES } from '../core/session.js'
import { announce } from './announce.js'
import { Empty, Missing, Table } from './basics.js'

/** The clients of the seed with their roles. */
export function SignIn() {
  const { data, error } = useRead('clients', listClients)
  const choose = id => actAs(id).catch(failure => announce(failure.message))
  return html`
    <h1>Act as</h1>
    <p>The emulator checks tokens and roles. Choose the client of the seed that the console acts as; its token is kept
      in this page only.</p>
    ${!data && html`<${Missing} error=${error} />`}
    ${data?.length === 0 && html`
      <${Empty} title="The seed has no clients">Add a seed with clients on the page <${Link} to="/emulator">Emulator</${Link}>.</${Empty}>`}
    ${data?.length > 0 && html`
      <${Table} label="Clients" columns=${['Client', 'Organisation', 'Roles', 'Actions']}>
        ${data.map(it => html`
          <tr key=${it.clientId}>
            <th scope="row">${it.clientId}<small class="quiet">${it.technicalAccountId}</small></th>
            <td>${it.imsOrgId}</td>
            <td>${it.roles.map(role => ROLES[role]).join(', ') || 'None'}</td>
            <td><button type="button" class="accent" onClick=${() => choose(it.clientId)}>Act as ${it.clientId}</button></td>
          </tr>`)}
      </${Table}>`}`
}
