// What a pipeline does now: the execution with its stages.
import { html } from '../core/view.js'
import { Link, paths } from '../core/routes.js'
import { cardsOf, stagesOf } from '../core/steps.js'
import { Dialog, Facts, Time } from '../parts/basics.js'
import { StatusLight, wordFor } from '../parts/status.js'

function line({ name, cards, status }) {
  const current = cards.findIndex(card => card.status !== 'FINISHED')
  const position = current < 0 ? cards.length : current + 1
  return `${position}/${cards.length} • ${cards[position - 1].name} • ${wordFor(status)}`
}

/** The dialog. */
export function RunningDialog({ pipeline, execution, close }) {
  const stages = stagesOf(cardsOf(execution._embedded.stepStates))
  return html`
    <${Dialog} title=${pipeline.name} close=${close}>
      <${Facts} of=${[['Execution', execution.id], ['Started', html`<${Time} at=${execution.createdAt} />`], ['Pipeline', pipeline.id]]} />
      <ul class="rows">
        ${stages.map(stage => html`
          <li key=${stage.name}><span><b>${stage.name}</b><small class="quiet">${line(stage)}</small></span><${StatusLight} of=${stage.status} /></li>`)}
      </ul>
      <footer><${Link} to=${paths.execution(execution)}>View details</${Link}></footer>
    </${Dialog}>`
}
