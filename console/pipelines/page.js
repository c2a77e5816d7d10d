// The pipelines of a program.
import { html, useState } from '../core/view.js'
import { inProgram, useRead } from '../core/live.js'
import { readEnvironments, readPipelines, readRepositories } from '../core/reads.js'
import { Link, useQuery } from '../core/routes.js'
import { kindOf } from '../core/steps.js'
import { Empty, Heading, Missing, Picker, SearchField, Table } from '../parts/basics.js'
import { PipelineRow } from './row.js'
import { RunSelected } from './run-selected.js'

const COLUMNS = ['Select', 'Pipeline', 'Status', 'Repository', 'Branch', 'Environments', 'Trigger', 'Last run', 'Actions']
const KINDS = ['Production', 'Non-Production · Deployment', 'Non-Production · Code Quality']

async function read(program) {
  const [pipelines, environments, repositories] = await Promise.all([
    readPipelines(program), readEnvironments(program), readRepositories(program)])
  return { pipelines, environments, repositories }
}

const concerns = program => change => inProgram(program)(change) && change.type !== 'request'

/** The page. */
export function Pipelines({ program }) {
  const { data, error } = useRead(`pipelines ${program}`, () => read(program), concerns(program))
  const { get, set } = useQuery()
  const [selected, setSelected] = useState(/** @type {string[]} */ ([]))
  if (!data) return html`<${Missing} error=${error} />`
  const select = (id, on) => setSelected(on ? [...selected, id] : selected.filter(it => it !== id))
  const [name, kind, environment] = ['name', 'kind', 'environment'].map(get)
  const shown = data.pipelines.filter(it => it.name.toLowerCase().includes(name.toLowerCase())
    && (!kind || kindOf(it) === kind) && (!environment || it.phases.some(phase => phase.environmentId === environment)))
  const chosen = data.pipelines.filter(({ id }) => selected.includes(id))
  return html`
    <${Heading} aside=${html`<${RunSelected} pipelines=${chosen} done=${() => setSelected([])} />`}>Pipelines</${Heading}>
    <div class="filters">
      <${SearchField} label="Name" value=${name} change=${text => set('name', text)} />
      <${Picker} label="Type" value=${kind} change=${text => set('kind', text)} options=${[['', 'All'], ...KINDS.map(it => [it, it])]} />
      <${Picker} label="Environment" value=${environment} change=${text => set('environment', text)}
        options=${[['', 'All'], ...data.environments.map(it => [it.id, it.name])]} />
    </div>
    ${!data.pipelines.length && html`
      <${Empty} title="There are no pipelines">Add one by a seed on the page <${Link} to="/emulator">Emulator</${Link}>.</${Empty}>`}
    ${data.pipelines.length > 0 && !shown.length && html`
      <${Empty} title="No pipeline matches">Change the filters to see the other pipelines.</${Empty}>`}
    ${shown.length > 0 && html`
      <${Table} label="Pipelines" columns=${COLUMNS}>
        ${shown.map(it => html`
          <${PipelineRow} key=${it.id} pipeline=${it} environments=${data.environments} repositories=${data.repositories}
            selected=${selected.includes(it.id)} select=${select} />`)}
      </${Table}>`}`
}
