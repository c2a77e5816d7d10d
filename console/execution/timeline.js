// The steps of an execution as bars along the emulated time.
import { html } from '../core/view.js'
import { emulatedNow, parse, useNow, writeDuration } from '../core/time.js'
import { toneOf } from '../parts/status.js'

/** The timeline. A bar leads to its card. */
export function Timeline({ execution, cards, running }) {
  useNow(running)
  const begin = parse(execution.createdAt)
  const end = execution.finishedAt ? parse(execution.finishedAt) : emulatedNow()
  const length = Math.max(end - begin, 1)
  const started = cards.filter(card => card.steps[0].startedAt)
  if (!started.length) return null
  return html`
    <section class="panel timeline" aria-label="Timeline">
      ${started.map(card => html`<${Lane} key=${card.name} card=${card} begin=${begin} length=${length} />`)}
    </section>`
}

function Lane({ card, begin, length }) {
  const from = parse(card.steps[0].startedAt) - begin
  const last = card.steps.findLast(step => step.startedAt)
  const to = last.finishedAt ? parse(last.finishedAt) - begin : length
  const style = { left: `${from / length * 100}%`, width: `${Math.max((to - from) / length * 100, 0.4)}%` }
  return html`
    <a class="lane" href=${`#${card.id}`}>
      <span>${card.name}</span>
      <span class="track"><span class="bar" data-tone=${toneOf(card.status)} style=${style}></span></span>
      <span class="quiet">${writeDuration(to - from)}</span>
    </a>`
}
