// The card of a step: its state, what can be done, and why other things can't.
import { html, useState } from '../view.js'
import { call } from '../api.js'
import { go, paths } from '../routes.js'
import { link, partOf } from '../steps.js'
import { duration, emulatedNow, parse, useTick } from '../time.js'
import { tellAdvance } from './clock.js'
import { Action, Status, Time } from './basics.js'
import { GateDialog } from './gate.js'
import { LogDialog, download } from './log.js'
import { Schedule } from './schedule.js'
import { Topology } from './topology.js'
import { slug } from './timeline.js'

const WAITS = {
  codeQuality: 'a decision about the important failures', securityTest: 'a decision about the important failures',
  reportPerformanceTest: 'a decision about the important failures', approval: 'an approval', schedule: 'a time for the deployment',
  managed: 'a Customer Success Engineer, who starts the deployment', deploy: 'the paused deployment to be resumed'
}

/** One card of the execution's page. */
export function Card({ card, execution, reasons, timer }) {
  const { main, steps, status, name } = card
  const [open, setOpen] = useState()
  const log = steps.findLast(step => link(step, 'pipeline/logs'))
  const close = () => setOpen()
  return html`<section id=${slug(name)} class="card" data-status=${status} aria-label=${name}>
    <header><h2>${name}</h2><${Status} of=${status} /><${Took} steps=${steps} main=${main} /></header>
    <${Facts} main=${main} execution=${execution} />
    ${steps.length > 1 && status !== 'NOT_STARTED' && html`<ol class="parts">${steps.map(step => html`<li key=${step.id} data-status=${step.status}>${partOf(step)} <${Status} of=${step.status} /></li>`)}</ol>`}
    ${main.details.message && html`<p class=${['FAILED', 'ERROR'].includes(status) ? 'failure' : 'note'}>${main.details.message}</p>`}
    ${timer && status !== 'FINISHED' && html`<${Due} main=${main} timer=${timer} />`}
    ${main.action === 'deploy' && main.details.deployCommands && html`<${Topology} details=${main.details} status=${status} />`}
    ${main.action === 'schedule' && main.status === 'WAITING' && html`<${Schedule} step=${main} />`}
    <div class="row">
      <${Decisions} main=${main} />
      <${Cancel} main=${main} explained=${reasons(main)} />
      ${link(main, 'pipeline/metrics') && gated(main) && html`<button type="button" onClick=${() => setOpen('gate')}>Review Summary</button>`}
      ${log && html`<button type="button" onClick=${() => setOpen('log')}>${log.action === 'deploy' && log.environmentType === 'prod' ? 'Download build log' : 'Download log'}</button>`}
      ${main.status === 'FINISHED' && log && html`<${Artifacts} step=${log} />`}
      <${ReExecute} main=${main} execution=${execution} explained=${reasons(main)} />
    </div>
    ${open === 'gate' && html`<${GateDialog} step=${main} close=${close} />`}
    ${open === 'log' && html`<${LogDialog} title=${`Log: ${name}`} path=${link(log, 'pipeline/logs')} name=${`${execution.id}-${log.action}.log`} active=${log.status === 'RUNNING'} close=${close} />`}
  </section>`
}

const gated = ({ action }) => ['codeQuality', 'securityTest', 'reportPerformanceTest'].includes(action)

function Took({ steps, main }) {
  const active = ['RUNNING', 'WAITING'].includes(main.status)
  useTick(active)
  const begin = steps[0].startedAt
  if (!begin) return null
  const end = main.finishedAt ? parse(main.finishedAt) : emulatedNow()
  return html`<span class="took quiet"><${Time} at=${begin} /> · ${duration(end - parse(begin))}</span>`
}

function Facts({ main, execution }) {
  if (main.action === 'validate') return html`<p class="quiet">The pipeline is verified against a set of pre-defined rules.</p>`
  if (main.action === 'build') {
    const copies = execution.trigger === 'RE_EXECUTE'
    return html`<p>${copies && html`<span class="badge">Copying artifacts</span> The artifacts of the earlier execution are copied; nothing is built again. `}
      <span class="quiet">${main.repository} · ${main.branch}${main.commitId ? ` · ${main.commitId.slice(0, 12)}` : ''}</span></p>`
  }
  const urls = main.action === 'approval' && execution._embedded.stepStates.find(step => step.details.environmentUrls && step.environmentId === main.environmentId)?.details.environmentUrls
  if (!main.environment) return null
  return html`<p class="quiet">${main.environment} ${(urls || []).map(it => html` · <a href=${it.instanceUrl} rel="noreferrer">${it.instanceType}</a>`)}</p>`
}

/** What a step waits for, until when, and "advance the clock to then". */
function Due({ main, timer }) {
  const waits = main.status === 'WAITING'
  const text = timer.kind === 'TIMEOUT' ? `Waits for ${WAITS[main.action] ?? 'an answer'}. Without one it ends ` : timer.kind === 'SCHEDULED' ? 'The deployment is scheduled for ' : waits ? 'Continues ' : 'Ends by itself '
  return html`<p class="due">${text}<${Time} at=${timer.dueAt} />.${' '}
    <${Action} label="Advance the clock to then" done=${tellAdvance} calls=${[{ method: 'POST', path: '/_emulator/clock/advance', body: { to: timer.dueAt } }]} /></p>`
}

function Decisions({ main }) {
  const advance = link(main, 'pipeline/advance')
  const cancel = link(main, 'pipeline/cancel')
  if (main.status !== 'WAITING' || !advance) return null
  const yes = (label, body, ask) => html`<${Action} label=${label} kind="primary" ask=${ask} calls=${[{ method: 'PUT', path: advance, body }]} />`
  const no = (label, body, ask) => cancel && html`<${Action} label=${label} kind="danger" ask=${ask} calls=${[{ method: 'PUT', path: cancel, body }]} />`
  const production = main.environmentType === 'prod'
  if (main.action === 'approval') return [no('Reject', { approved: false }, 'The execution is cancelled.'), yes('Approve', { approved: true }, production ? 'The deployment to production may begin.' : undefined)]
  if (main.action === 'managed') return [no('Stop Execution', { start: false }, 'The execution is cancelled.'), yes('Start managed deployment', { start: true })]
  if (main.action === 'deploy') return [no('Stop Execution', { resume: false }, 'The deployment stops where it is, and the execution is cancelled.'), yes('Resume', { resume: true })]
  return null
}

function Cancel({ main, explained }) {
  if (main.status !== 'RUNNING') return null
  const path = link(main, 'pipeline/cancel')
  return html`<${Action} label="Cancel" ask="The step and its execution are cancelled." reason=${path ? undefined : explained?.cancel.reason ?? 'The step can’t be cancelled now.'} calls=${[{ method: 'PUT', path, body: { cancel: true } }]} />`
}

function ReExecute({ main, execution, explained }) {
  if (main.action !== 'deploy' || main.environmentType !== 'prod') return null
  const path = link(main, 'pipeline/reExecute')
  if (path) return html`<${Action} label="Re-execute" calls=${[{ method: 'PUT', path }]} done=${next => go(paths.execution(next))} />`
  if (execution.finishedAt && explained?.reExecute.reason) return html`<small class="quiet">Re-execute is not possible: ${explained.reExecute.reason}.</small>`
  return null
}

function Artifacts({ step }) {
  const [list, setList] = useState()
  const read = async () => setList((await call('GET', `${link(step, 'pipeline/logs').replace(/logs$/, 'artifacts')}`))._embedded.artifacts)
  if (!list) return html`<button type="button" onClick=${() => read().catch(() => setList([]))}>Download Details</button>`
  if (!list.length) return html`<small class="quiet">This step has no artifacts.</small>`
  return list.map(it => html`<button type="button" key=${it.id} onClick=${() => download(it._links.self.href, it.file)}>${it.file}</button>`)
}
