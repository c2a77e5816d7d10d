// What a deployment does, instance by instance.
import { html, useEffect, useState } from '../core/view.js'
import { call } from '../core/api.js'
import { Light } from '../parts/status.js'

const WORDS = {
  'manage-elb-links-detach': 'Leaves the load balancer',
  'manage-elb-links-attach': 'Returns to the load balancer',
  'install-client-packages': 'Installs',
  'perform-backup': 'Backs up the configuration'
}
const BETWEEN = 1000

const list = text => JSON.parse(text ?? '[]')
const wordsFor = ({ stepAction, subject }) => {
  const words = WORDS[stepAction] ?? (stepAction[0].toUpperCase() + stepAction.slice(1)).replaceAll('-', ' ')
  return subject ? `${words} ${subject}` : words
}

/** Reads a running deployment again and again: its commands follow from time and have no events. */
function useProgress(step) {
  const [read, setRead] = useState(/** @type {any} */ (undefined))
  const running = step.status === 'RUNNING'
  useEffect(() => {
    if (!running) return undefined
    const timer = setInterval(() => {
      if (!document.hidden) call('GET', step._links.self.href).then(setRead, () => {})
    }, BETWEEN)
    return () => clearInterval(timer)
  }, [step.id, running])
  return running && read?.status === 'RUNNING' ? read.details : step.details
}

/** The commands of a deployment by instance. */
export function Deployment({ step }) {
  const details = useProgress(step)
  const commands = list(details.deployCommands)
  const done = new Set(list(details.deploymentStepDescription).map(it => it.id))
  const current = step.status === 'RUNNING' ? Number(details.currentDeployCommandId) : undefined
  const stateOf = ({ id }) => id === current ? 'current' : done.has(id) ? 'done' : 'open'
  const instances = [...new Set(commands.map(it => it.instanceId))]
  return html`
    <details class="deployment" open=${step.status !== 'FINISHED'}>
      <summary>${done.size} of ${commands.length} commands on ${instances.length} instances</summary>
      <div class="instances">
        ${instances.map(id => html`
          <${Instance} key=${id} id=${id} stateOf=${stateOf} commands=${commands.filter(it => it.instanceId === id)} />`)}
      </div>
    </details>`
}

function Instance({ id, commands, stateOf }) {
  const moved = commands.findLast(it => it.stepAction.startsWith('manage-elb-links') && stateOf(it) !== 'open')
  const detached = moved?.stepAction.endsWith('detach')
  return html`
    <div class="instance" data-detached=${Boolean(detached)}>
      <h4>${id}</h4>
      ${id.startsWith('dispatcher') && html`
        <${Light} tone=${detached ? 'notice' : 'positive'}>${detached ? 'Not in the load balancer' : 'In the load balancer'}</${Light}>`}
      <ol>${commands.map(it => html`<li key=${it.id} data-state=${stateOf(it)}>${wordsFor(it)}</li>`)}</ol>
    </div>`
}
