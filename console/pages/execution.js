// The page of an execution, and of one that has not been started.
import { html } from '../view.js'
import { call, find } from '../api.js'
import { useRead } from '../live.js'
import { Link, paths } from '../routes.js'
import { cards, isRunning, kindOf, planned, stages } from '../steps.js'
import { Missing, Status, Time } from '../parts/basics.js'
import { Card } from '../parts/card.js'
import { Run } from '../parts/run.js'
import { Timeline } from '../parts/timeline.js'
import { duration, emulatedNow, parse, useTick } from '../time.js'

/** The page of an execution; `new` is one before its start. */
export function ExecutionPage({ program, pipeline, execution }) {
  const path = `/program/${program}/pipeline/${pipeline}`
  const { data, error } = useRead(`${path}/${execution}`, async () => {
    if (execution === 'new') return { pipeline: await call('GET', `/api${path}`) }
    const [definition, state, explained, { timers }] = await Promise.all([
      find(`/api${path}`), call('GET', `/api${path}/execution/${execution}`),
      call('GET', `/_emulator${path}/execution/${execution}/explain`), call('GET', '/_emulator/timers')
    ])
    return { pipeline: definition, execution: state, explained: explained.steps, timers: timers.filter(it => it.executionId === execution) }
  }, change => change.pipelineId === pipeline || change.type === 'clock')
  if (!data) return html`<${Missing} error=${error} />`
  return data.execution ? html`<${Started} ...${data} program=${program} />` : html`<${Unstarted} pipeline=${data.pipeline} program=${program} />`
}

const Crumbs = ({ program, name, children }) => html`<div class="crumbs">
  <${Link} to=${paths.page(program, 'overview')}>Program Overview</${Link}> <span aria-hidden="true">›</span> <h1>${name}</h1> ${children}</div>`

function Unstarted({ pipeline, program }) {
  const list = cards(planned(pipeline))
  return html`<${Crumbs} program=${program} name=${pipeline.name}><${Status} of="NOT_STARTED" /></${Crumbs}>
    <${Rail} list=${list} />
    <section class="card" aria-label="Start Pipeline"><h2>Start Pipeline</h2>
      <p>${kindOf(pipeline)}. The build takes the newest commit of its branch.</p><${Run} pipeline=${pipeline} label="Build" /></section>
    ${list.map(card => html`<section class="card" data-status="NOT_STARTED" aria-label=${card.name}><h2>${card.name}</h2></section>`)}`
}

function Started({ pipeline, execution, explained, timers, program }) {
  const steps = execution._embedded.stepStates
  const list = cards(steps)
  const running = isRunning(execution)
  const reasons = step => explained.find(it => it.stepId === step.stepId && it.phaseId === step.phaseId)
  const timerOf = step => timers.find(it => it.stepId === step.stepId)
  const emergency = execution.pipelineExecutionMode === 'EMERGENCY'
  return html`<${Crumbs} program=${program} name=${pipeline?.name ?? 'Deleted pipeline'}><${Status} of=${execution.status} />
      ${emergency && html`<span class="badge emergency">Execution running in Emergency Mode</span>`}
      ${execution.trigger === 'RE_EXECUTE' && html`<span class="badge">Re-execution</span>`}</${Crumbs}>
    <${Facts} execution=${execution} running=${running} />
    <${Rail} list=${list} />
    <${Timeline} execution=${execution} list=${list} running=${running} />
    <section class="card" data-status="FINISHED" aria-label="Start Pipeline"><h2>Start Pipeline</h2>
      <p class="quiet">${execution.trigger} by ${execution.user}, <${Time} at=${execution.createdAt} /></p></section>
    ${list.map(card => html`<${Card} key=${card.name} card=${card} execution=${execution} reasons=${reasons} timer=${card.steps.map(timerOf).find(Boolean)} />`)}`
}

function Facts({ execution, running }) {
  useTick(running)
  const end = execution.finishedAt ? parse(execution.finishedAt) : emulatedNow()
  return html`<p class="facts quiet">Execution ${execution.id} · artifacts version ${execution.artifactsVersion} ·
    started <${Time} at=${execution.createdAt} /> · ${running ? 'for' : 'took'} ${duration(end - parse(execution.createdAt))}</p>`
}

function Rail({ list }) {
  return html`<ol class="rail" aria-label="Stages">${stages(list).map(stage => html`<li key=${stage.name} data-status=${stage.status}>
    <span class="dot" aria-hidden="true"></span>${stage.name} <span class="hidden">${stage.status}</span></li>`)}</ol>`
}
