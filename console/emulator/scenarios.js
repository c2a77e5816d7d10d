// How the next executions of a pipeline go.
import { html, useState } from '../core/view.js'
import { find, listPrograms } from '../core/api.js'
import { useRead } from '../core/live.js'
import { readPipelines, useSettings } from '../core/reads.js'
import { useQuery } from '../core/routes.js'
import { session } from '../core/session.js'
import { Actions } from '../parts/actions.js'
import { announce } from '../parts/announce.js'
import { Failure, Field, Panel, Picker } from '../parts/basics.js'
import { ScenarioStep, emptyStep } from './scenario-step.js'

const PRESETS = {
  'Coverage misses its target': [{ action: 'codeQuality', metrics: { coverage: '41.3' } }],
  'Security rating is critical': [{ action: 'codeQuality', metrics: { security_rating: 'D' } }],
  'Build fails': [{ action: 'build', outcome: 'FAILED' }],
  'Stage deployment fails': [{ action: 'deploy', environmentType: 'stage', outcome: 'FAILED' }],
  'Production deployment fails': [{ action: 'deploy', environmentType: 'prod', outcome: 'FAILED' }],
  'Deployment pauses': [{ action: 'deploy', outcome: 'PAUSED' }],
  'Build takes an hour': [{ action: 'build', duration: 'PT1H' }]
}
const NONE = { steps: [] }
const write = value => JSON.stringify(value, null, 2)

async function readAll() {
  const programs = await listPrograms()
  const lists = await Promise.all(programs.map(async program =>
    (await readPipelines(program.id)).map(pipeline => ({ pipeline, program, key: `${program.id}/${pipeline.id}` }))))
  return lists.flat()
}

/** The section. */
export function Scenarios() {
  const caller = session.use()
  const { get, set } = useQuery()
  const { data, error } = useRead(`all pipelines ${caller?.apiKey}`, readAll, ({ type }) => type === 'program' || type === 'pipeline')
  const found = data?.find(it => it.key === get('pipeline')) ?? data?.[0]
  return html`
    <${Panel} title="Scenario">
      <p class="quiet">A scenario says how the steps of the next executions go. Without one, every step succeeds.</p>
      <${Failure} error=${error} />
      ${data?.length === 0 && html`<p>There are no pipelines. A seed can add some.</p>`}
      ${found && html`
        <div class="filters">
          <${Picker} label="Pipeline" value=${found.key} change=${key => set('pipeline', key)}
            options=${data?.map(it => [it.key, `${it.program.name} › ${it.pipeline.name}`])} />
          <${Emergency} key=${found.program.id} program=${found.program} />
        </div>
        <${Form} key=${found.key} pipeline=${found.pipeline} />`}
    </${Panel}>`
}

function Form({ pipeline }) {
  const path = `/_emulator/program/${pipeline.programId}/pipeline/${pipeline.id}/scenario`
  const { data, error, again } = useRead(path, async () => (await find(path)) ?? null, change => change.pipelineId === pipeline.id)
  const [edited, setEdited] = useState(/** @type {any} */ (undefined))
  const [text, setText] = useState(/** @type {string | undefined} */ (undefined))
  const scenario = edited ?? data ?? NONE
  const change = next => {
    setText(undefined)
    setEdited(next)
  }
  const done = message => () => {
    setEdited(undefined)
    setText(undefined)
    again()
    announce(message)
  }
  const changeStep = (at, step) => change({ ...scenario, steps: scenario.steps.flatMap((it, index) => index === at ? step ?? [] : it) })
  const actions = [
    {
      label: 'Set scenario', kind: 'accent', reason: scenario.steps.length || text ? undefined : 'The scenario has no steps.',
      calls: [{ method: 'PUT', path, body: text ?? scenario }], done: done('The scenario is set.')
    },
    { label: 'Delete scenario', reason: data ? undefined : 'None is set.', calls: [{ method: 'DELETE', path }], done: done('The scenario is deleted.') }
  ]
  return html`
    <${Failure} error=${error} />
    <p>${data ? `A scenario is set${data.times === undefined ? '' : `, for ${data.times} more executions`}.` : 'No scenario is set.'}</p>
    <div class="filters">
      <${Picker} label="Preset" value="" change=${name => name && change({ times: 1, steps: PRESETS[name] })}
        options=${[['', 'Choose…'], ...Object.keys(PRESETS).map(name => [name, name])]} />
      <${Field} label="For how many executions">
        <input type="number" min="1" placeholder="All" value=${scenario.times ?? ''}
          onInput=${event => change({ ...scenario, times: event.target.value ? Number(event.target.value) : undefined })} />
      </${Field}>
    </div>
    ${scenario.steps.map((step, index) => html`<${ScenarioStep} key=${index} step=${step} change=${next => changeStep(index, next)} />`)}
    <div class="actions"><button type="button" onClick=${() => change({ ...scenario, steps: [...scenario.steps, emptyStep] })}>Add step</button></div>
    <details>
      <summary>The document</summary>
      <${Field} label="Scenario as JSON or YAML" wide>
        <textarea rows="10" value=${text ?? write(scenario)} onInput=${event => setText(event.target.value)}></textarea>
      </${Field}>
    </details>
    <${Actions} list=${actions} />`
}

function Emergency({ program }) {
  const settings = useSettings(program.id)
  const active = settings?.emergencyMode
  const change = {
    label: active ? 'Deactivate emergency mode' : 'Activate emergency mode', reason: settings ? undefined : 'Loading…',
    calls: [{ method: 'PATCH', path: `/_emulator/program/${program.id}`, body: { emergencyMode: !active } }],
    done: () => announce(active ? 'Emergency mode is deactivated.' : 'Emergency mode is activated.')
  }
  return html`<${Actions} list=${[change]} />`
}
