// The page of an execution, and of one that has not been started.
import { html, useEffect, useRef } from '../core/view.js'
import { call, find, list } from '../core/api.js'
import { useRead } from '../core/live.js'
import { Link, paths, useFragment } from '../core/routes.js'
import { cardsOf, isRunning, kindOf, planned, stagesOf } from '../core/steps.js'
import { speak } from '../parts/announce.js'
import { Duration, Facts, Missing, Time } from '../parts/basics.js'
import { Badge, StatusBadge, StatusLight, toneOf, wordFor } from '../parts/status.js'
import { Run } from '../pipelines/run.js'
import { averages } from './averages.js'
import { Card } from './card.js'
import { Timeline } from './timeline.js'

async function read(path, execution) {
  if (execution === 'new') return { pipeline: await call('GET', `/api${path}`) }
  const [pipeline, state, { steps }, { timers }] = await Promise.all([
    find(`/api${path}`), call('GET', `/api${path}/execution/${execution}`),
    call('GET', `/_emulator${path}/execution/${execution}/explain`), call('GET', '/_emulator/timers')])
  return { pipeline, execution: state, explained: steps, timers: timers.filter(it => it.executionId === execution) }
}

/** The page; `new` is an execution before its start. */
export function ExecutionPage({ program, pipeline, execution }) {
  const path = `/program/${program}/pipeline/${pipeline}`
  const { data, error } = useRead(`${path}/${execution}`, () => read(path, execution), it => it.pipelineId === pipeline || it.type === 'clock')
  useFragment(data)
  if (!data) return html`<${Missing} error=${error} />`
  return data.execution ? html`<${Started} ...${data} program=${program} />` : html`<${Unstarted} pipeline=${data.pipeline} program=${program} />`
}

const Crumbs = ({ program, name, children }) => html`
  <div class="crumbs">
    <${Link} to=${paths.page(program, 'overview')}>Program Overview</${Link}>
    <span class="quiet" aria-hidden="true">›</span>
    <h1>${name}</h1>
    ${children}
  </div>`

const StartCard = ({ children, status }) => html`
  <section class="card" data-status=${status} aria-label="Start Pipeline" tabindex="-1">
    <header><h2>Start Pipeline</h2></header>
    ${children}
  </section>`

/** The stages with a dot each, and their cards beside them. */
const Stages = ({ cards, children }) => html`
  <ol class="stages" aria-label="Stages">
    ${stagesOf(cards).map(stage => html`
      <li key=${stage.name} data-tone=${toneOf(stage.status)}>
        <div class="stage">
          <h2>${stage.name}</h2>
          <small class="quiet">${wordFor(stage.status)}</small>
        </div>
        <div class="cards">${stage.cards.map(children)}</div>
      </li>`)}
  </ol>`

function Unstarted({ pipeline, program }) {
  return html`
    <${Crumbs} program=${program} name=${pipeline.name}><${StatusBadge} of="NOT_STARTED" /></${Crumbs}>
    <p class="quiet">${kindOf(pipeline)}</p>
    <${StartCard}>
      <p>Build starts the pipeline with the newest commit of its branch.</p>
      <${Run} pipeline=${pipeline} label="Build" />
    </${StartCard}>
    <${Stages} cards=${cardsOf(planned(pipeline))}>
      ${card => html`
        <section key=${card.name} class="card" data-status="NOT_STARTED" aria-label=${card.name}>
          <header><h3>${card.name}</h3><${StatusLight} of="NOT_STARTED" /></header>
        </section>`}
    </${Stages}>`
}

/** Tells screen readers which step is the current one, once per change. */
function useSpoken(cards) {
  const before = useRef('')
  const current = cards.find(card => card.status !== 'FINISHED') ?? cards[cards.length - 1]
  const text = current ? `${current.name}: ${wordFor(current.status)}` : ''
  useEffect(() => {
    if (before.current) speak(text)
    before.current = text
  }, [text])
}

function Started({ pipeline, execution, explained, timers, program }) {
  const cards = cardsOf(execution._embedded.stepStates)
  const running = isRunning(execution)
  const path = `/api/program/${program}/pipeline/${execution.pipelineId}/executions?limit=20`
  const usual = useRead(path, async () => averages(await list(path, 'executions'))).data
  useSpoken(cards)
  return html`
    <${Crumbs} program=${program} name=${pipeline?.name ?? 'Deleted pipeline'}>
      <${StatusBadge} of=${execution.status} />
      ${execution.pipelineExecutionMode === 'EMERGENCY' && html`<${Badge} tone="notice">Execution running in Emergency Mode</${Badge}>`}
      ${execution.trigger === 'RE_EXECUTE' && html`<${Badge} tone="info">Re-execution</${Badge}>`}
    </${Crumbs}>
    <${Facts} of=${[
      ['Execution', execution.id], ['Artifacts version', execution.artifactsVersion], ['Trigger', execution.trigger],
      ['Started', html`<${Time} at=${execution.createdAt} />`], ['By', execution.user],
      [running ? 'Running for' : 'Duration', html`<${Duration} from=${execution.createdAt} to=${execution.finishedAt} />`]]} />
    <${Timeline} execution=${execution} cards=${cards} running=${running} />
    <${StartCard} status="FINISHED"><p class="quiet">${execution.trigger} · <${Time} at=${execution.createdAt} /></p></${StartCard}>
    <${Stages} cards=${cards}>
      ${card => html`
        <${Card} key=${card.name} card=${card} execution=${execution} explained=${explained} usual=${usual}
          timer=${timers.find(it => card.steps.some(step => step.stepId === it.stepId))} />`}
    </${Stages}>`
}
