// The frame of all pages.
import { html, useEffect, useState } from '../core/view.js'
import { listPrograms, readInfo } from '../core/api.js'
import { useRead } from '../core/live.js'
import { Link, go, paths, route, usePath } from '../core/routes.js'
import { session } from '../core/session.js'
import { Activity } from '../activity/page.js'
import { Emulator } from '../emulator/page.js'
import { Environments } from '../environments/page.js'
import { ExecutionPage } from '../execution/page.js'
import { Overview } from '../overview/page.js'
import { Pipelines } from '../pipelines/page.js'
import { Repositories } from '../repositories/page.js'
import { Announcements } from './announce.js'
import { Empty, Failure, Missing } from './basics.js'
import { Header, SECTIONS, titleOf } from './header.js'
import { Keys } from './keys.js'
import { SignIn } from './sign-in.js'

const PAGES = {
  overview: Overview, activity: Activity, pipelines: Pipelines, repositories: Repositories,
  environments: Environments, execution: ExecutionPage, emulator: Emulator
}

/** The whole console. */
export function Shell() {
  const path = usePath()
  const place = route(path)
  const caller = session.use()
  const strict = useRead('authentication', async () => (await readInfo()).options.auth === 'strict')
  const signedOut = strict.data && !caller
  // Until it is known whether tokens are checked, nothing is asked that needs one.
  const readPrograms = async () => signedOut ? [] : strict.data === undefined ? undefined : listPrograms()
  const programs = useRead(`programs ${strict.data} ${signedOut}`, readPrograms, ({ type }) => type === 'program')
  const [last, setLast] = useState(/** @type {string | undefined} */ (undefined))
  const program = place.program ?? last ?? programs.data?.[0]?.id
  useEffect(() => {
    if (place.program) setLast(place.program)
    if (place.page === 'start' && programs.data?.length) go(paths.page(programs.data[0].id, 'overview'))
    document.title = `${titleOf(place.page)} · Cloud Manager emulator`
  }, [path, programs.data])
  // After a move, the keyboard goes on at the new page.
  useEffect(() => { if (document.activeElement === document.body) document.getElementById('main')?.focus({ preventScroll: true }) }, [path])
  return html`
    <a class="skip" href="#main">Skip to the content</a>
    <${Header} programs=${programs.data ?? []} program=${program} page=${place.page} strict=${strict.data} />
    <${Navigation} program=${program} page=${place.page} />
    <main id="main" tabindex="-1">
      <${Failure} error=${strict.error ?? programs.error} />
      ${signedOut && place.page !== 'emulator' ? html`<${SignIn} />`
        : programs.data ? html`<${Page} key=${path} place=${place} empty=${!programs.data.length} />`
          : !programs.error && html`<${Missing} />`}
    </main>
    <${Announcements} />
    <${Keys} program=${program} />`
}

function Page({ place, empty }) {
  const Found = PAGES[place.page]
  if (Found) return html`<${Found} ...${place} />`
  if (place.page !== 'start') {
    return html`<h1>Not found</h1><${Empty} title="There is no such page">The <${Link} to="/">overview</${Link}> leads to all pages.</${Empty}>`
  }
  return empty && html`
    <h1>Programs</h1>
    <${Empty} title="There are no programs">
      Add a seed, or reset the emulator to its seed, on the page <${Link} to="/emulator">Emulator</${Link}>.
    </${Empty}>`
}

function Navigation({ program, page }) {
  const current = page === 'execution' ? 'activity' : page
  const item = (name, to) => html`
    <${Link} key=${name} to=${to} aria-current=${current === name ? 'page' : undefined}>${titleOf(name)}</${Link}>`
  return html`
    <nav aria-label="Main">
      ${program && html`
        <span class="group" aria-hidden="true">Program</span>
        ${SECTIONS.slice(0, 4).map(name => item(name, paths.page(program, name)))}
        <span class="group" aria-hidden="true">Services</span>
        ${SECTIONS.slice(4).map(name => item(name, paths.page(program, name)))}
        <hr />`}
      ${item('emulator', '/emulator')}
    </nav>`
}
