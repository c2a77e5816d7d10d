// The header: program, connection, emulated time, how times are shown, and who acts.
import { html, useState } from '../core/view.js'
import { actAs, listClients } from '../core/api.js'
import { useRead } from '../core/live.js'
import { Link, go, paths } from '../core/routes.js'
import { session } from '../core/session.js'
import { connected } from '../core/stream.js'
import { timeStyle } from '../core/time.js'
import { announce } from './announce.js'
import { Picker } from './basics.js'
import { ClockBar } from './clock.js'
import { openHelp } from './keys.js'
import { Light } from './status.js'

/** The pages of a program, in the order of the navigation. */
export const SECTIONS = ['overview', 'activity', 'pipelines', 'repositories', 'environments']

/** Returns the title of a page. */
export const titleOf = name => name[0].toUpperCase() + name.slice(1)

/** The header. */
export function Header({ programs, program, page, strict }) {
  const choose = id => go(paths.page(id, SECTIONS.includes(page) ? page : 'overview'))
  return html`
    <header class="top">
      <${Link} to="/" class="brand">
        <img src="/console/icon.svg" alt="" width="24" height="24" /><span>Cloud Manager <b>emulator</b></span>
      </${Link}>
      ${programs.length > 0 && html`
        <${Picker} hidden label="Program" value=${program} change=${choose} options=${programs.map(it => [it.id, it.name])} />`}
      <${Connection} />
      <${ClockBar} />
      <${TimeStyle} />
      ${strict && html`<${ActAs} />`}
      <button type="button" class="quiet-button" aria-label="Keys" title="Keys (?)" onClick=${openHelp}>?</button>
    </header>`
}

function Connection() {
  const open = connected.use()
  return html`<span class="connection"><${Light} tone=${open ? 'positive' : 'notice'}>${open ? 'Live' : 'Connecting…'}</${Light}></span>`
}

const TimeStyle = () => html`
  <${Picker} hidden label="Show times" value=${timeStyle.use()} change=${timeStyle.set}
    options=${[['local', 'Local time'], ['UTC', 'UTC'], ['relative', 'Relative']]} />`

/** Chooses the client of the seed that the console acts as. */
export function ActAs() {
  const caller = session.use()
  const { data } = useRead('clients', listClients, ({ type }) => type === 'program')
  const [busy, setBusy] = useState(false)
  const choose = async clientId => {
    setBusy(true)
    await actAs(clientId).catch(error => announce(error.message))
    setBusy(false)
  }
  const options = (data ?? []).map(it => [it.clientId, `Act as ${it.clientId}`])
  return html`
    <span aria-busy=${busy}>
      <${Picker} hidden label="Act as" value=${caller?.apiKey ?? ''} change=${choose} options=${[['', 'Act as…'], ...options]} />
    </span>`
}
