// The pipelines of a program.
import { html, useState } from '../view.js'
import { call } from '../api.js'
import { useRead } from '../live.js'
import { Link, paths } from '../routes.js'
import { isRunning, kindOf } from '../steps.js'
import { Action, Field, Missing, Status, Table, Time } from '../parts/basics.js'
import { Run } from '../parts/run.js'
import { readPipelines } from './data.js'

async function read(program) {
  const [pipelines, environments, repositories] = await Promise.all([readPipelines(program),
    call('GET', `/api/program/${program}/environments`), call('GET', `/api/program/${program}/repositories`)])
  const names = (list, name) => Object.fromEntries(list.map(it => [it.id, it[name]]))
  const last = await Promise.all(pipelines.map(async it => (await call('GET', `/api/program/${program}/pipeline/${it.id}/executions?limit=1`))._embedded.executions[0]))
  return { pipelines, last, environments: names(environments._embedded.environments, 'name'), repositories: names(repositories._embedded.repositories, 'repo') }
}

/** The page. */
export function Pipelines({ program }) {
  const { data, error } = useRead(`pipelines ${program}`, () => read(program), change => change.programId === program)
  const [name, setName] = useState('')
  if (!data) return html`<${Missing} error=${error} />`
  const shown = data.pipelines.map((pipeline, index) => ({ pipeline, last: data.last[index] })).filter(({ pipeline }) => pipeline.name.toLowerCase().includes(name.toLowerCase()))
  return html`<h1>Pipelines</h1>
    <${Field} label="Filter by name"><input type="search" value=${name} onInput=${event => setName(event.target.value)} /></${Field}>
    ${!data.pipelines.length && html`<p>There are no pipelines. Add some by a seed on the page <${Link} to="/emulator">Emulator</${Link}>.</p>`}
    <${Table} label="Pipelines" columns=${['Name', 'Status', 'Repository', 'Branch', 'Environments', 'Trigger', 'Last run', 'Actions']}>
      ${shown.map(row => html`<${Row} key=${row.pipeline.id} ...${data} ...${row} />`)}</${Table}>`
}

function Row({ pipeline, last, environments, repositories }) {
  const build = pipeline.phases.find(({ type }) => type === 'BUILD')
  const path = `/api/program/${pipeline.programId}/pipeline/${pipeline.id}`
  const targets = pipeline.phases.filter(it => it.environmentId)
  return html`<tr><th scope="row"><${Link} to=${paths.start(pipeline)}>${pipeline.name}</${Link}><small class="quiet">${kindOf(pipeline)}</small></th>
    <td>${pipeline.status === 'BUSY' ? html`<${Status} of="RUNNING" />` : html`<span class="quiet">Not running</span>`}</td>
    <td>${repositories[build?.repositoryId]}</td><td>${build?.branch}</td>
    <td>${targets.map(it => html`<span class="chip" key=${it.environmentId}>${environments[it.environmentId] ?? it.environmentId}</span>`)}</td>
    <td>${pipeline.trigger}</td>
    <td>${last ? html`<${Link} to=${paths.execution(last)}><${Time} at=${last.createdAt} /></${Link}> ${!isRunning(last) && html`<${Status} of=${last.status} />`}` : 'never'}</td>
    <td><div class="row"><${Run} pipeline=${pipeline} />
      <${Action} label="Delete" kind="danger" ask=${`“${pipeline.name}” and its executions are deleted.`} reason=${pipeline.status === 'BUSY' ? 'It runs.' : undefined} calls=${[{ method: 'DELETE', path }]} /></div></td></tr>`
}
