// The steps of an execution as bars along the emulated time.
import { html } from '../view.js'
import { emulatedNow, duration, parse, useTick } from '../time.js'

/** The timeline of an execution. A bar leads to its card. */
export function Timeline({ execution, list, running }) {
  useTick(running)
  const begin = parse(execution.createdAt)
  const end = execution.finishedAt ? parse(execution.finishedAt) : emulatedNow()
  const length = Math.max(end - begin, 1)
  const started = list.filter(card => card.steps[0].startedAt)
  if (!started.length) return null
  const bar = card => {
    const from = parse(card.steps[0].startedAt) - begin
    const last = card.steps.findLast(step => step.startedAt)
    const to = last.finishedAt ? parse(last.finishedAt) - begin : length
    return html`<a key=${card.name} class="lane" href=${`#${slug(card.name)}`} title=${`${card.name}: ${duration(to - from)}`}>
      <span class="lane-name">${card.name}</span>
      <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect class="span" data-status=${card.status} x=${from / length * 100} width=${Math.max((to - from) / length * 100, 0.5)} height="10" /></svg>
      <span class="lane-time">${duration(to - from)}</span></a>`
  }
  return html`<section class="timeline" aria-label="Timeline">${started.map(bar)}</section>`
}

/** The fragment that leads to a card. */
export const slug = name => name.toLowerCase().replace(/[^a-z]+/g, '-')
