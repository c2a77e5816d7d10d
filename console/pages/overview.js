// The overview of a program.
import { html } from '../view.js'
import { call } from '../api.js'
import { useRead } from '../live.js'
import { Link, go, paths } from '../routes.js'
import { isProduction, kindOf } from '../steps.js'
import { Missing, Status } from '../parts/basics.js'
import { readPipelines, running } from './data.js'

/** The page. */
export function Overview({ program }) {
  const { data, error } = useRead(`overview ${program}`, async () => {
    const [resource, pipelines, environments] = await Promise.all([
      call('GET', `/api/program/${program}`), readPipelines(program), call('GET', `/api/program/${program}/environments`)])
    return { resource, pipelines, environments: environments._embedded.environments, executions: await running(pipelines) }
  }, change => change.programId === program)
  if (!data) return html`<${Missing} error=${error} />`
  return html`<h1>${data.resource.name}</h1><${CallToAction} ...${data} />
    <div class="columns"><${EnvironmentsCard} ...${data} program=${program} /><${PipelinesCard} ...${data} program=${program} /></div>`
}

function CallToAction({ pipelines, executions }) {
  const production = pipelines.find(isProduction)
  const execution = executions.find(it => it.pipelineId === production?.id) ?? executions[0]
  if (execution) return html`<section class="hero"><h2>Check your pipeline execution</h2><p>${pipelines.find(it => it.id === execution.pipelineId).name} is running.</p>
    <button type="button" class="primary" onClick=${() => go(paths.execution(execution))}>Check Execution</button></section>`
  if (!production) return html`<section class="hero"><h2>There is no production pipeline yet</h2><p>Add one by a seed on the page <${Link} to="/emulator">Emulator</${Link}>.</p></section>`
  return html`<section class="hero"><h2>Deploy your Program</h2><p>${production.name} builds, tests and deploys to stage and production.</p>
    <button type="button" class="primary" onClick=${() => go(paths.start(production))}>Deploy</button></section>`
}

function EnvironmentsCard({ environments, executions, pipelines, program }) {
  const busy = new Set(executions.flatMap(it => pipelines.find(({ id }) => id === it.pipelineId).phases.map(phase => phase.environmentId)))
  const author = it => it._links['http://ns.adobe.com/adobecloud/rel/author']?.href
  return html`<section class="card"><h2>Environments</h2><ul class="rows">${environments.slice(0, 3).map(it => html`<li key=${it.id}>
    <span><b>${it.name}</b><small class="quiet">${it.type}${author(it) ? html` · <a href=${author(it)} rel="noreferrer">author</a>` : ''}</small></span>
    <span class="badge" data-status=${busy.has(it.id) ? 'RUNNING' : 'FINISHED'}>${busy.has(it.id) ? 'Pipeline Running' : it.status === 'ready' ? 'Running' : it.status}</span></li>`)}</ul>
    <${Link} to=${paths.page(program, 'environments')}>Show All</${Link}></section>`
}

function PipelinesCard({ pipelines, program }) {
  return html`<section class="card"><h2>Pipelines</h2><ul class="rows">${pipelines.slice(0, 3).map(it => html`<li key=${it.id}>
    <span><b>${it.name}</b><small class="quiet">${kindOf(it)}</small></span>
    ${it.status === 'BUSY' ? html`<${Status} of="RUNNING" />` : html`<span class="quiet">Not running</span>`}</li>`)}</ul>
    <${Link} to=${paths.page(program, 'pipelines')}>Show All</${Link}></section>`
}
