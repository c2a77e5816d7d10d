// The overview of a program.
import { html } from '../core/view.js'
import { call } from '../core/api.js'
import { inProgram, useRead } from '../core/live.js'
import { readCurrent, readEnvironments, readPipelines, readRepositories } from '../core/reads.js'
import { Link, go, paths } from '../core/routes.js'
import { buildOf, isProduction, kindOf, link } from '../core/steps.js'
import { Heading, Missing, Panel } from '../parts/basics.js'
import { Light } from '../parts/status.js'

const SHOWN = 3

async function read(program) {
  const [resource, pipelines, environments, repositories] = await Promise.all([
    call('GET', `/api/program/${program}`), readPipelines(program), readEnvironments(program), readRepositories(program)])
  return { program: resource, pipelines, environments, repositories, executions: await readCurrent(pipelines) }
}

/** The page. */
export function Overview({ program }) {
  const { data, error } = useRead(`overview ${program}`, () => read(program), inProgram(program))
  if (!data) return html`<${Missing} error=${error} />`
  return html`
    <${Heading}>${data.program.name}</${Heading}>
    <${CallToAction} ...${data} />
    <div class="columns">
      <${EnvironmentsPanel} ...${data} />
      <${PipelinesPanel} ...${data} />
    </div>`
}

const Hero = ({ title, children, label, to }) => html`
  <section class="hero" aria-label=${title}>
    <div><h2>${title}</h2><p>${children}</p></div>
    <button type="button" class="accent large" onClick=${() => go(to)}>${label}</button>
  </section>`

function CallToAction({ program, pipelines, executions }) {
  const production = pipelines.find(isProduction)
  const execution = executions.find(it => it.pipelineId === production?.id) ?? executions[0]
  if (execution) {
    const { name } = pipelines.find(it => it.id === execution.pipelineId)
    return html`<${Hero} title="Check your pipeline execution" label="Check Execution" to=${paths.execution(execution)}>
      ${name} is running.</${Hero}>`
  }
  if (!production) {
    return html`<${Hero} title="Set up your pipeline" label="Add a seed" to="/emulator">
      ${program.name} has no production pipeline yet. A seed can add one.</${Hero}>`
  }
  return html`<${Hero} title="Deploy your Program" label="Deploy" to=${paths.start(production)}>
    ${production.name} builds your code, tests it on stage and deploys it to production.</${Hero}>`
}

const Row = ({ name, detail, children }) => html`<li><span><b>${name}</b><small class="quiet">${detail}</small></span>${children}</li>`

function EnvironmentsPanel({ program, pipelines, environments, executions }) {
  const targets = executions.flatMap(it => pipelines.find(({ id }) => id === it.pipelineId).phases)
  const busy = new Set(targets.map(phase => phase.environmentId))
  const light = it => busy.has(it.id) ? html`<${Light} tone="info">Pipeline Running</${Light}>`
    : it.status === 'ready' ? html`<${Light} tone="positive">Running</${Light}>` : html`<${Light} tone="notice">${it.status}</${Light}>`
  const detail = it => html`${it.type}${link(it, 'author') && html` · <a href=${link(it, 'author')} rel="noreferrer">author</a>`}`
  return html`
    <${Panel} title="Environments">
      <ul class="rows">
        ${environments.slice(0, SHOWN).map(it => html`<${Row} key=${it.id} name=${it.name} detail=${detail(it)}>${light(it)}</${Row}>`)}
      </ul>
      ${!environments.length && html`<p class="quiet">The program has no environments.</p>`}
      <${Link} to=${paths.page(program.id, 'environments')}>Show All</${Link}>
    </${Panel}>`
}

function PipelinesPanel({ program, pipelines, repositories, executions }) {
  const source = it => {
    const build = buildOf(it)
    const repository = repositories.find(({ id }) => id === build?.repositoryId)
    return `${kindOf(it)} · ${repository?.repo ?? ''} ${build?.branch ?? ''}`
  }
  const light = it => {
    const execution = executions.find(({ pipelineId }) => pipelineId === it.id)
    if (!execution) return html`<${Light}>Not running</${Light}>`
    return html`<${Link} to=${paths.execution(execution)}><${Light} tone="info">Running…</${Light}></${Link}>`
  }
  return html`
    <${Panel} title="Pipelines">
      <ul class="rows">
        ${pipelines.slice(0, SHOWN).map(it => html`<${Row} key=${it.id} name=${it.name} detail=${source(it)}>${light(it)}</${Row}>`)}
      </ul>
      ${!pipelines.length && html`<p class="quiet">The program has no pipelines.</p>`}
      <${Link} to=${paths.page(program.id, 'pipelines')}>Show All</${Link}>
    </${Panel}>`
}
