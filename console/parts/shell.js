// The frame of all pages: header, navigation, emulated time.
import { html, useEffect, useState } from '../view.js'
import { listPrograms } from '../api.js'
import { changes, connection, useRead } from '../live.js'
import { Link, go, paths, route, usePath } from '../routes.js'
import { ClockBar } from './clock.js'
import { Failure } from './basics.js'
import { Overview } from '../pages/overview.js'
import { Pipelines } from '../pages/pipelines.js'
import { Activity } from '../pages/activity.js'
import { ExecutionPage } from '../pages/execution.js'
import { Environments } from '../pages/environments.js'
import { Repositories } from '../pages/repositories.js'
import { Emulator } from '../emulator/page.js'

const PAGES = { overview: Overview, pipelines: Pipelines, activity: Activity, execution: ExecutionPage, environments: Environments, repositories: Repositories, emulator: Emulator }
const SECTIONS = ['overview', 'activity', 'pipelines', 'repositories', 'environments']
const title = name => name[0].toUpperCase() + name.slice(1)

/** The whole console. */
export function Shell() {
  const path = usePath()
  const place = route(path)
  const programs = useRead('programs', listPrograms, ({ type }) => type === 'program')
  const [last, setLast] = useState()
  const program = place.program ?? last ?? programs.data?.[0]?.id
  useEffect(() => {
    if (place.program) setLast(place.program)
    if (place.page === 'start' && programs.data?.length) go(paths.page(programs.data[0].id, 'overview'))
    document.title = `${title(place.page)} – Cloud Manager emulator`
  }, [path, programs.data])
  return html`
    <a class="skip" href="#main">Skip to the content</a>
    <${Header} programs=${programs.data ?? []} program=${program} page=${place.page} />
    <${Navigation} program=${program} page=${place.page} />
    <main id="main" tabindex="-1">
      <${Failure} error=${programs.error} />
      ${programs.data && html`<${Page} key=${path} place=${place} empty=${!programs.data.length} />`}
    </main>
    <${Announcements} />`
}

function Page({ place, empty }) {
  const Found = PAGES[place.page]
  if (Found) return html`<${Found} ...${place} />`
  if (place.page === 'start' && !empty) return null
  return html`<h1>${empty ? 'No programs' : 'Not found'}</h1>
    <p>${empty ? 'Add a seed, or reset the emulator to its seed, on the page ' : 'This address is no page. Go to '}<${Link} to="/emulator">Emulator</${Link}>.</p>`
}

function Header({ programs, program, page }) {
  const choose = event => go(paths.page(event.target.value, page === 'execution' || page === 'emulator' ? 'overview' : page))
  return html`<header class="top">
    <${Link} to="/" class="brand"><img src="/console/icon.svg" alt="" width="22" height="22" /> Cloud Manager <b>emulator</b></${Link}>
    <select aria-label="Program" value=${program} onChange=${choose}>
      ${programs.map(it => html`<option key=${it.id} value=${it.id} selected=${it.id === program}>${it.name}</option>`)}
    </select>
    <${Connection} />
    <${ClockBar} />
  </header>`
}

function Connection() {
  const [open, setOpen] = useState(connection.open)
  useEffect(() => {
    const update = () => setOpen(connection.open)
    changes.addEventListener('state', update)
    update()
    return () => changes.removeEventListener('state', update)
  }, [])
  return html`<span class="connection" data-open=${open}>${open ? 'Live' : 'Connecting…'}</span>`
}

function Navigation({ program, page }) {
  const current = page === 'execution' ? 'activity' : page
  const item = (name, to) => html`<${Link} to=${to} aria-current=${current === name ? 'page' : undefined}>${title(name)}</${Link}>`
  return html`<nav aria-label="Main">
    ${program && SECTIONS.map(name => item(name, paths.page(program, name)))}
    <hr />
    ${item('emulator', '/emulator')}
  </nav>`
}

function Announcements() {
  const [text, setText] = useState('')
  useEffect(() => {
    let timer
    const show = event => {
      setText(event.detail)
      clearTimeout(timer)
      timer = setTimeout(() => setText(''), 4000)
    }
    document.addEventListener('announce', show)
    return () => document.removeEventListener('announce', show)
  }, [])
  return html`<div class="announcement" role="status">${text}</div>`
}
