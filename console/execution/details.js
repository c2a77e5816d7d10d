// The details of a step, and its state as the API returns it.
import { html } from '../core/view.js'
import { isActive, partOf } from '../core/steps.js'
import { writeDuration } from '../core/time.js'
import { Dialog, Duration, Facts, Time } from '../parts/basics.js'
import { keyOf } from './averages.js'

/** The dialog. */
export const DetailsDialog = ({ name, steps, usual, close }) => html`
  <${Dialog} title=${`Details: ${name}`} close=${close} wide>
    ${steps.map(step => html`
      <section key=${step.id} aria-label=${partOf(step)}>
        ${steps.length > 1 && html`<h3>${partOf(step)}</h3>`}
        <${Facts} of=${factsOf(step, usual)} />
        <details><summary>The step state in the API</summary><pre tabindex="0">${JSON.stringify(step, null, 2)}</pre></details>
      </section>`)}
  </${Dialog}>`

function factsOf(step, usual) {
  const average = usual?.get(keyOf(step))
  return [
    ['Started on', step.startedAt && html`<${Time} at=${step.startedAt} />`],
    ['Finished on', step.finishedAt && html`<${Time} at=${step.finishedAt} />`],
    ['Duration', step.startedAt && (step.finishedAt || isActive(step)) && html`<${Duration} from=${step.startedAt} to=${step.finishedAt} />`],
    ['Average duration', average && writeDuration(average)],
    ['Phase', step.phaseId], ['Step', step.stepId], ['Action', step.action], ['Commit', step.commitId], ['Message', step.details.message]
  ].map(([fact, value]) => [fact, value || undefined])
}
