// Starting an execution of a pipeline.
import { html, useState } from '../view.js'
import { call } from '../api.js'
import { useRead } from '../live.js'
import { go, paths } from '../routes.js'
import { isProduction } from '../steps.js'
import { Action, Dialog, Failure } from './basics.js'

const open = execution => go(paths.execution(execution))

/** Whether a program has emergency mode activated. */
export function useEmergency(program) {
  return useRead(`settings ${program}`, () => call('GET', `/_emulator/program/${program}`), it => it.type === 'program' && it.programId === program).data?.emergencyMode
}

/** The button that starts a pipeline: at once, or after the choice of a mode. */
export function Run({ pipeline, label = 'Run' }) {
  const emergency = useEmergency(pipeline.programId) && isProduction(pipeline)
  const [asking, setAsking] = useState(false)
  const [error, setError] = useState()
  const path = `/api/program/${pipeline.programId}/pipeline/${pipeline.id}/execution`
  const reason = pipeline.status === 'BUSY' ? 'An execution of the pipeline is running.' : undefined
  if (!emergency) return html`<${Action} label=${label} kind="primary" reason=${reason} calls=${[{ method: 'PUT', path }]} done=${open} />`
  const mode = (name, label, kind) => html`<${Action} label=${label} kind=${kind} calls=${[{ method: 'PUT', path: `${path}?pipelineExecutionMode=${name}` }]} done=${open} />`
  return html`<button type="button" class="primary" disabled=${Boolean(reason)} title=${reason} onClick=${() => { setError(); setAsking(true) }}>${label}</button>
    <${Failure} error=${error} />
    ${asking && html`<${Dialog} title="Run Pipeline" close=${() => setAsking(false)}>
      <p>Choose how <b>${pipeline.name}</b> runs. Emergency Mode skips the security and performance tests; all other steps are executed.</p>
      <footer><button type="button" onClick=${() => setAsking(false)}>Cancel</button>
        ${mode('EMERGENCY', 'Emergency Mode', '')}${mode('NORMAL', 'Normal Mode', 'primary')}</footer></${Dialog}>`}`
}
