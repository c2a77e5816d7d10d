// A step of an execution: its state, what can be done, and why other things can't.
import { html, useState } from '../core/view.js'
import { save } from '../core/api.js'
import { useQuery } from '../core/routes.js'
import { hasGate, isActive, isProductionDeploy, link, partOf } from '../core/steps.js'
import { parse, useNow, writeDuration } from '../core/time.js'
import { Actions } from '../parts/actions.js'
import { Duration, Failure, Time } from '../parts/basics.js'
import { Log } from '../parts/log.js'
import { StatusLight } from '../parts/status.js'
import { Artifacts } from './artifacts.js'
import { keyOf } from './averages.js'
import { decisionsOf } from './decisions.js'
import { DetailsDialog } from './details.js'
import { Due } from './due.js'
import { About } from './about.js'
import { GateDialog } from './gate.js'
import { Schedule } from './schedule.js'
import { Deployment } from './topology.js'

/** The card. What it shows in a dialog is part of the address. */
export function Card({ card, execution, explained, usual, timer }) {
  const { main, steps, status, name, id } = card
  const { get, set } = useQuery()
  const open = ['log', 'results', 'details'].find(it => get(it) === id)
  const close = () => open && set(open)
  const logged = steps.findLast(step => link(step, 'pipeline/logs'))
  const failed = ['FAILED', 'ERROR'].includes(status)
  return html`
    <section id=${id} class="card" data-status=${status} aria-label=${name} tabindex="-1">
      <header>
        <h3>${name}</h3>
        <${StatusLight} of=${status} />
        ${steps[0].startedAt && html`<span class="when quiet">
          <${Time} at=${steps[0].startedAt} /> ·${' '}
          <${Duration} from=${steps[0].startedAt} to=${isActive(main) ? undefined : main.finishedAt ?? main.startedAt} /></span>`}
      </header>
      <${About} step=${main} execution=${execution} />
      ${steps.length > 1 && steps[0].startedAt && html`
        <ul class="parts">${steps.map(step => html`<li key=${step.id}>${partOf(step)} <${StatusLight} of=${step.status} /></li>`)}</ul>`}
      ${main.status === 'RUNNING' && usual?.get(keyOf(main)) && html`<${Pace} step=${main} usual=${usual.get(keyOf(main))} />`}
      ${main.details.message && html`<p class="alert" data-tone=${failed ? 'negative' : 'neutral'}>${main.details.message}</p>`}
      ${timer && isActive(main) && html`<${Due} step=${main} timer=${timer} />`}
      ${main.details.deployCommands && html`<${Deployment} step=${main} />`}
      ${main.action === 'schedule' && main.status === 'WAITING' && html`<${Schedule} step=${main} />`}
      ${main.status !== 'NOT_STARTED' && html`
        <${Actions} list=${decisionsOf(main, execution, explained)}>
          ${hasGate(main) && link(main, 'pipeline/metrics') && main.status !== 'RUNNING' && html`
            <button type="button" class=${main.status === 'WAITING' ? 'accent' : ''} onClick=${() => set('results', id)}>Review Summary</button>`}
          ${logged && html`<${LogButtons} step=${logged} execution=${execution} view=${() => set('log', id)} />`}
          ${logged?.status === 'FINISHED' && html`<${Artifacts} step=${logged} />`}
          <button type="button" class="quiet-button" onClick=${() => set('details', id)}>View details</button>
        </${Actions}>`}
      ${open === 'results' && html`<${GateDialog} step=${main} close=${close} />`}
      ${open === 'details' && html`<${DetailsDialog} name=${name} steps=${steps} usual=${usual} close=${close} />`}
      ${open === 'log' && logged && html`
        <${Log} path=${link(logged, 'pipeline/logs')} name=${`${execution.id}-${logged.action}.log`}
          active=${logged.status === 'RUNNING'} close=${close} />`}
    </section>`
}

/** "Download log" saves the file, and shows it. */
function LogButtons({ step, execution, view }) {
  const [error, setError] = useState(/** @type {any} */ (undefined))
  const download = () => {
    save(link(step, 'pipeline/logs'), `${execution.id}-${step.action}.log`).then(() => setError(undefined), setError)
    view()
  }
  return html`
    <button type="button" onClick=${download}>${isProductionDeploy(step) ? 'Download build log' : 'Download log'}</button>
    <button type="button" onClick=${view}>View log</button>
    <${Failure} error=${error} />`
}

/** How long a running step has taken, against the average of earlier runs. */
function Pace({ step, usual }) {
  const taken = useNow() - parse(step.startedAt)
  return html`
    <p class="pace"><progress aria-label="Against the average" max=${usual} value=${taken}></progress>
      <span class="quiet">${writeDuration(taken)} of ${writeDuration(usual)} on average</span></p>`
}
