// The executions of a program, newest first.
import { html, useState } from '../view.js'
import { call } from '../api.js'
import { useRead } from '../live.js'
import { Link, paths } from '../routes.js'
import { isRunning, kindOf } from '../steps.js'
import { Missing, Status, Table, Time } from '../parts/basics.js'
import { duration, parse } from '../time.js'
import { readPipelines } from './data.js'

/** How many executions the page shows. */
const PAGE = 50

async function read(program, before) {
  const query = before ? `&before=${before}` : ''
  const [pipelines, { executions }] = await Promise.all([readPipelines(program),
    call('GET', `/_emulator/program/${program}/executions?limit=${PAGE}${query}`)])
  return executions.map(execution => ({ execution, pipeline: pipelines.find(({ id }) => id === execution.pipelineId) }))
}

/** The page. `older` holds the ids before which the pages so far begin. */
export function Activity({ program }) {
  const [older, setOlder] = useState([])
  const before = older.at(-1)
  const { data, error } = useRead(`activity ${program} ${before}`, () => read(program, before), change => change.programId === program)
  if (!data) return html`<${Missing} error=${error} />`
  return html`<h1>Activity</h1>
    ${!data.length && !before && html`<p>Nothing has run here yet. Start a pipeline on the page <${Link} to=${paths.page(program, 'pipelines')}>Pipelines</${Link}>.</p>`}
    <${Table} label="Executions" columns=${['Pipeline', 'Execution', 'Status', 'Started', 'Duration', 'Trigger', 'User']}>${data.map(row => html`<${Row} key=${row.execution.id} ...${row} />`)}</${Table}>
    <div class="row">${before && html`<button type="button" onClick=${() => setOlder(older.slice(0, -1))}>Newer</button>`}
      ${data.length === PAGE && html`<button type="button" onClick=${() => setOlder([...older, data.at(-1).execution.id])}>Older</button>`}</div>`
}

function Row({ pipeline, execution }) {
  const ended = !isRunning(execution) && execution.finishedAt
  return html`<tr><th scope="row">${pipeline?.name}<small class="quiet">${pipeline && kindOf(pipeline)}</small></th>
    <td><${Link} to=${paths.execution(execution)}>${execution.id}</${Link}></td>
    <td><${Status} of=${execution.status} /> ${execution.pipelineExecutionMode === 'EMERGENCY' && html`<span class="badge emergency">EMERGENCY</span>`}</td>
    <td><${Time} at=${execution.createdAt} /></td>
    <td>${ended ? duration(parse(execution.finishedAt) - parse(execution.createdAt)) : '-'}</td>
    <td>${execution.trigger}</td><td class="quiet">${execution.user}</td></tr>`
}
