// An entry of a scenario as a form.
import { html } from '../core/view.js'
import { Field, Picker } from '../parts/basics.js'

const ACTIONS = [
  ['validate', 'Validation'], ['build', 'Build & Unit Testing'], ['codeQuality', 'Code Scanning'], ['deploy', 'Deploy'],
  ['securityTest', 'Security Testing'], ['loadTest', 'Performance Testing: sites'], ['assetsTest', 'Performance Testing: assets'],
  ['reportPerformanceTest', 'Performance Testing: report'], ['contentAudit', 'Content Audit']
]
const TYPES = [['', 'Any environment'], ['dev', 'Dev'], ['stage', 'Stage'], ['prod', 'Production']]
const OUTCOMES = [['', 'As usual'], ['FINISHED', 'Finished'], ['FAILED', 'Failed'], ['ERROR', 'Error']]
const GATES = ['codeQuality', 'securityTest', 'loadTest', 'assetsTest', 'reportPerformanceTest']

/** A new entry. */
export const emptyStep = { action: 'build' }

/** Reads "coverage=41.3, bugs=3". */
const readMetrics = text => Object.fromEntries(text.split(',').map(it => it.split('=').map(part => part.trim())).filter(([name, value]) => name && value))
const writeMetrics = metrics => Object.entries(metrics ?? {}).map(([name, value]) => `${name}=${value}`).join(', ')

/** The form; `change` gets the new entry, or nothing when it is removed. */
export function ScenarioStep({ step, change }) {
  const set = (name, value) => {
    const { [name]: _, ...rest } = step
    change(value === '' ? rest : { ...rest, [name]: value })
  }
  const outcomes = step.action === 'deploy' ? [...OUTCOMES, ['PAUSED', 'Paused']] : OUTCOMES
  const text = (name, label, placeholder) => html`
    <${Field} label=${label}><input value=${step[name] ?? ''} placeholder=${placeholder} onInput=${event => set(name, event.target.value)} /></${Field}>`
  return html`
    <fieldset>
      <legend>Step</legend>
      <div class="filters">
        <${Picker} label="Action" value=${step.action} options=${ACTIONS} change=${action => change({ action })} />
        ${step.action === 'deploy' && html`
          <${Picker} label="Environment" value=${step.environmentType ?? ''} options=${TYPES} change=${type => set('environmentType', type)} />`}
        <${Picker} label="Outcome" value=${step.outcome ?? ''} options=${outcomes} change=${outcome => set('outcome', outcome)} />
        ${text('duration', 'Duration', 'PT3M')}
        ${step.outcome && step.outcome !== 'FINISHED' && text('message', 'Message', 'The disk is full.')}
        ${GATES.includes(step.action) && html`
          <${Field} label="Metrics">
            <input value=${writeMetrics(step.metrics)} placeholder="coverage=41.3"
              onChange=${event => set('metrics', event.target.value && readMetrics(event.target.value))} />
          </${Field}>`}
        <button type="button" onClick=${() => change(undefined)}>Remove step</button>
      </div>
    </fieldset>`
}
