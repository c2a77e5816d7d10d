// A row of the list of pipelines.
import { html, useState } from '../core/view.js'
import { list } from '../core/api.js'
import { useRead } from '../core/live.js'
import { Link, paths } from '../core/routes.js'
import { buildOf, isRunning, kindOf } from '../core/steps.js'
import { Time } from '../parts/basics.js'
import { Light, StatusLight } from '../parts/status.js'
import { Run } from './run.js'
import { RunningDialog } from './running-dialog.js'
import { VariablesDialog } from './variables.js'

/** The row. It reads the last execution of its pipeline itself. */
export function PipelineRow({ pipeline, environments, repositories, selected, select }) {
  const path = `/api/program/${pipeline.programId}/pipeline/${pipeline.id}`
  const last = useRead(path, async () => (await list(`${path}/executions?limit=1`, 'executions'))[0], it => it.pipelineId === pipeline.id).data
  const [open, setOpen] = useState('')
  const build = buildOf(pipeline)
  const busy = pipeline.status === 'BUSY'
  const environmentOf = id => environments.find(it => it.id === id)?.name ?? id
  const remove = {
    label: 'Delete',
    kind: 'quiet-button',
    ask: `${pipeline.name} and its executions are deleted.`,
    reason: busy ? 'An execution of the pipeline is running.' : undefined,
    calls: [{ method: 'DELETE', path }]
  }
  const variables = { label: 'Variables', kind: 'quiet-button', calls: [{ method: 'GET', path: `${path}/variables` }], open: () => setOpen('variables') }
  return html`
    <tr>
      <td><input type="checkbox" aria-label=${`Select ${pipeline.name}`} checked=${selected}
        onChange=${event => select(pipeline.id, event.target.checked)} /></td>
      <th scope="row"><${Link} to=${paths.start(pipeline)}>${pipeline.name}</${Link}><small class="quiet">${kindOf(pipeline)}</small></th>
      <td class="nowrap">${busy ? html`<${Light} tone="info">Running…</${Light}>` : html`<${Light}>Not running</${Light}>`}
        ${busy && last && html`<button type="button" class="quiet-button about" aria-label=${`About the execution of ${pipeline.name}`}
          onClick=${() => setOpen('running')}>i</button>`}</td>
      <td>${repositories.find(it => it.id === build?.repositoryId)?.repo}</td>
      <td>${build?.branch}</td>
      <td>${pipeline.phases.filter(it => it.environmentId).map(it => html`
        <span class="chip" key=${it.environmentId}>${environmentOf(it.environmentId)}</span>`)}</td>
      <td>${pipeline.trigger}</td>
      <td class="nowrap">${last ? html`<${Link} to=${paths.execution(last)}><${Time} at=${last.createdAt} /></${Link}>` : 'Never'}
        ${last && !isRunning(last) && html`<small><${StatusLight} of=${last.status} /></small>`}</td>
      <td class="row-actions">
        <${Run} pipeline=${pipeline} more=${[variables, remove]} />
        ${open === 'running' && last && html`<${RunningDialog} pipeline=${pipeline} execution=${last} close=${() => setOpen('')} />`}
        ${open === 'variables' && html`<${VariablesDialog} path=${`${path}/variables`} title=${`Variables of ${pipeline.name}`} close=${() => setOpen('')} />`}
      </td>
    </tr>`
}
