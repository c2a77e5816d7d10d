// How the next executions of a pipeline go, and the emergency mode of its program.
import { html, useState } from '../view.js'
import { find, listPrograms } from '../api.js'
import { useRead } from '../live.js'
import { readPipelines } from '../pages/data.js'
import { Action, Failure, Field, announce } from '../parts/basics.js'
import { useEmergency } from '../parts/run.js'

const PRESETS = {
  'Coverage misses its target': [{ action: 'codeQuality', metrics: { coverage: '41.3' } }],
  'Security rating is critical': [{ action: 'codeQuality', metrics: { security_rating: 'D' } }],
  'Build fails': [{ action: 'build', outcome: 'FAILED' }],
  'Production deployment fails': [{ action: 'deploy', environmentType: 'prod', outcome: 'FAILED' }],
  'Deployment pauses': [{ action: 'deploy', outcome: 'PAUSED' }]
}
const write = value => JSON.stringify(value, null, 2)

/** The section. */
export function Scenarios() {
  const { data, error } = useRead('all pipelines', async () => {
    const programs = await listPrograms()
    const lists = await Promise.all(programs.map(async program => (await readPipelines(program.id)).map(pipeline => ({ pipeline, program }))))
    return lists.flat()
  }, ({ type }) => type === 'program')
  const [chosen, setChosen] = useState(0)
  const found = data?.[chosen]
  return html`<section class="card" aria-label="Scenario"><h2>Scenario</h2><${Failure} error=${error} />
    ${data?.length === 0 && html`<p class="quiet">There are no pipelines.</p>`}
    ${found && html`<${Field} label="Pipeline"><select value=${chosen} onChange=${event => setChosen(Number(event.target.value))}>
      ${data.map((it, index) => html`<option key=${index} value=${index}>${it.program.name} › ${it.pipeline.name}</option>`)}</select></${Field}>
      <${Form} key=${`${found.program.id}/${found.pipeline.id}`} pipeline=${found.pipeline} /><${Emergency} key=${found.program.id} program=${found.program} />`}</section>`
}

function Form({ pipeline }) {
  const path = `/_emulator/program/${pipeline.programId}/pipeline/${pipeline.id}/scenario`
  const { data, again } = useRead(path, async () => (await find(path)) ?? null, change => change.pipelineId === pipeline.id)
  const [text, setText] = useState()
  const shown = text ?? (data ? write(data) : '')
  const choose = event => setText(write({ times: 1, steps: PRESETS[event.target.value] }))
  const done = message => () => { setText(); again(); announce(message) }
  return html`<${Field} label="Preset"><select onChange=${choose}><option value="" disabled selected>Choose…</option>${Object.keys(PRESETS).map(name => html`<option key=${name}>${name}</option>`)}</select></${Field}>
    <${Field} label="Document" hint=${data ? 'This scenario is set.' : 'No scenario is set: every step succeeds.'}><textarea rows="7" cols="70" value=${shown} onInput=${event => setText(event.target.value)}></textarea></${Field}>
    <div class="row"><${Action} label="Set scenario" kind="primary" reason=${shown ? undefined : 'The document is empty.'} calls=${[{ method: 'PUT', path, body: shown }]} done=${done('The scenario is set.')} />
      <${Action} label="Delete scenario" reason=${data ? undefined : 'None is set.'} calls=${[{ method: 'DELETE', path }]} done=${done('The scenario is deleted.')} /></div>`
}

function Emergency({ program }) {
  const active = useEmergency(program.id)
  return html`<p>Emergency mode of ${program.name}: ${active ? 'activated' : 'not activated'}.${' '}
    <${Action} label=${active ? 'Deactivate' : 'Activate'} calls=${[{ method: 'PATCH', path: `/_emulator/program/${program.id}`, body: { emergencyMode: !active } }]} /></p>`
}
