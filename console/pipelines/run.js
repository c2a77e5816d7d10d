// Starting an execution of a pipeline: at once, or after the choice of a mode.
import { html, useState } from '../core/view.js'
import { useSettings } from '../core/reads.js'
import { go, paths } from '../core/routes.js'
import { isProduction } from '../core/steps.js'
import { Actions } from '../parts/actions.js'
import { Dialog } from '../parts/basics.js'

const open = execution => go(paths.execution(execution))

/** Returns the path on which executions of a pipeline start. */
export const startPath = ({ programId, id }) => `/api/program/${programId}/pipeline/${id}/execution`

/** The button that starts a pipeline, and further actions beside it. */
export function Run({ pipeline, label = 'Run', more = [] }) {
  const settings = useSettings(pipeline.programId)
  const [asking, setAsking] = useState(false)
  const asks = settings?.emergencyMode && isProduction(pipeline)
  const busy = pipeline.status === 'BUSY' ? 'An execution of the pipeline is running.' : undefined
  const start = {
    label,
    kind: 'accent',
    // Until it is known whether to ask, a click must not start anything.
    reason: busy ?? (settings ? undefined : 'Loading…'),
    calls: [{ method: 'PUT', path: startPath(pipeline) }],
    done: open,
    open: asks ? () => setAsking(true) : undefined
  }
  return html`
    <${Actions} list=${[start, ...more]} />
    ${asking && html`<${RunDialog} pipeline=${pipeline} close=${() => setAsking(false)} />`}`
}

function RunDialog({ pipeline, close }) {
  const mode = (label, name, kind) => ({
    label, kind, calls: [{ method: 'PUT', path: `${startPath(pipeline)}?pipelineExecutionMode=${name}` }], done: open
  })
  return html`
    <${Dialog} title="Run Pipeline" close=${close}>
      <p>Choose the mode in which <b>${pipeline.name}</b> runs.</p>
      <p>Emergency Mode skips the security and performance tests. All other steps, including approvals, are executed as in
        Normal Mode.</p>
      <footer>
        <${Actions} list=${[mode('Emergency Mode', 'EMERGENCY', ''), mode('Normal Mode', 'NORMAL', 'accent')]}>
          <button type="button" onClick=${close}>Cancel</button>
        </${Actions}>
      </footer>
    </${Dialog}>`
}
