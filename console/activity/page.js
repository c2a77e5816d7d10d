// The executions of a program, newest first: a list of any length, of which the page holds what was read.
import { html, useEffect, useState } from '../core/view.js'
import { useRead } from '../core/live.js'
import { readPipelines } from '../core/reads.js'
import { Link, paths, useQuery } from '../core/routes.js'
import { isRunning, kindOf } from '../core/steps.js'
import { Duration, Empty, Failure, Heading, Missing, Picker, Time } from '../parts/basics.js'
import { Badge, StatusLight, wordFor } from '../parts/status.js'
import { Windowed } from '../parts/windowed.js'
import { useExecutions } from './executions.js'

const COLUMNS = ['Pipeline', 'Execution', 'Status', 'Started', 'Duration', 'Trigger', 'User']
const STATUSES = ['RUNNING', 'FINISHED', 'FAILED', 'ERROR', 'CANCELLED']
const TRIGGERS = { MANUAL: 'Manual', ON_COMMIT: 'On commit', PUSH_UPGRADES: 'Push update', RE_EXECUTE: 'RE_EXECUTE', ROLLBACK: 'Rollback' }
const NARROW = matchMedia('(max-width: 760px)')

/** Returns the height of a row, which depends on the width of the page. */
function useRowHeight() {
  const [narrow, setNarrow] = useState(NARROW.matches)
  useEffect(() => {
    const update = () => setNarrow(NARROW.matches)
    NARROW.addEventListener('change', update)
    return () => NARROW.removeEventListener('change', update)
  }, [])
  return narrow ? 116 : 56
}

/** The page. */
export function Activity({ program }) {
  const { get, set } = useQuery()
  const status = get('status')
  const pipelines = useRead(`pipelines ${program}`, () => readPipelines(program), it => it.type === 'pipeline' && it.programId === program)
  const { rows, error, more } = useExecutions(program, status)
  const height = useRowHeight()
  if (!rows || !pipelines.data) return html`<${Missing} error=${error ?? pipelines.error} />`
  const row = index => html`
    <${Row} key=${rows[index].id} execution=${rows[index]} index=${index} pipeline=${pipelines.data?.find(it => it.id === rows[index].pipelineId)} />`
  return html`
    <${Heading}>Activity</${Heading}>
    <div class="filters">
      <${Picker} label="Status" value=${status} change=${text => set('status', text)}
        options=${[['', 'All'], ...STATUSES.map(it => [it, wordFor(it)])]} />
    </div>
    <${Failure} error=${error} />
    ${rows.length > 0 ? html`
      <div class="grid" role="table" aria-label="Executions" aria-rowcount="-1">
        <div class="grid-head" role="row">${COLUMNS.map(name => html`<span role="columnheader" key=${name}>${name}</span>`)}</div>
        <${Windowed} class="grid-body" role="rowgroup" aria-label="Executions" count=${rows.length} height=${height} row=${row} end=${more} />
      </div>` : html`<${None} program=${program} filtered=${status} />`}`
}

const None = ({ program, filtered }) => filtered
  ? html`<${Empty} title="No execution has this status">Choose another status to see other executions.</${Empty}>`
  : html`<${Empty} title="Nothing has run here yet">
      Start a pipeline on the page <${Link} to=${paths.page(program, 'pipelines')}>Pipelines</${Link}>.</${Empty}>`

function Row({ pipeline, execution, index }) {
  const { id, status, trigger, user, createdAt, finishedAt, artifactsVersion, pipelineExecutionMode } = execution
  const running = isRunning(execution)
  return html`
    <div class="grid-row" role="row" aria-rowindex=${index + 2}>
      <span role="cell"><b>${pipeline?.name ?? 'Deleted pipeline'}</b><small class="quiet">${pipeline && kindOf(pipeline)}</small></span>
      <span role="cell"><${Link} to=${paths.execution(execution)} class="whole">${id}</${Link}><small class="quiet">${artifactsVersion}</small></span>
      <span role="cell"><${StatusLight} of=${status} />
        ${pipelineExecutionMode === 'EMERGENCY' && html`<${Badge} tone="notice">EMERGENCY</${Badge}>`}</span>
      <span role="cell"><${Time} at=${createdAt} /></span>
      <span role="cell">${running || !finishedAt ? '-' : html`<${Duration} from=${createdAt} to=${finishedAt} />`}</span>
      <span role="cell">${trigger === 'RE_EXECUTE' ? html`<${Badge} tone="info">RE_EXECUTE</${Badge}>` : TRIGGERS[trigger] ?? trigger}</span>
      <span role="cell" class="quiet clip" title=${user}>${user}</span>
    </div>`
}
