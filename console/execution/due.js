// What a step waits for, until when, and "advance the clock to then".
import { html } from '../core/view.js'
import { Actions } from '../parts/actions.js'
import { Time } from '../parts/basics.js'
import { advanceAction } from '../parts/clock.js'

const DECISION = 'a decision about the failed important metrics'
const WAITS = {
  codeQuality: DECISION, securityTest: DECISION, reportPerformanceTest: DECISION, approval: 'an approval',
  schedule: 'a time for the deployment', managed: 'a Customer Success Engineer, who starts the deployment', deploy: 'the deployment to be resumed'
}

function textOf(step, { kind }) {
  if (kind === 'SCHEDULED') return 'The deployment is scheduled for'
  if (kind === 'TIMEOUT') return `Waits for ${WAITS[step.action] ?? 'an answer'}. Without an answer, it ends`
  return 'Ends by itself'
}

/** The sentence with its button. */
export const Due = ({ step, timer }) => html`
  <div class="due">
    <span>${textOf(step, timer)} <${Time} at=${timer.dueAt} />.</span>
    <${Actions} list=${[advanceAction('Advance the clock to then', { to: timer.dueAt })]} />
  </div>`
