// What a deployment does, instance by instance.
import { html } from '../view.js'

const WORDS = {
  'manage-elb-links-detach': 'leaves the load balancer', 'manage-elb-links-attach': 'returns to the load balancer',
  'install-client-packages': 'installs', 'perform-backup': 'backs up its configuration'
}
const list = text => { try { return JSON.parse(text ?? '[]') } catch { return [] } }

/** The commands of a deployment by instance, with those that are done. */
export function Topology({ details, status }) {
  const commands = list(details.deployCommands)
  const done = new Set(list(details.deploymentStepDescription).map(it => it.id))
  const instances = [...new Set(commands.map(it => it.instanceId))]
  const current = String(details.currentDeployCommandId ?? '')
  const state = it => done.has(it.id) && !(String(it.id) === current && status === 'RUNNING') ? 'done' : String(it.id) === current ? 'current' : 'open'
  const inBalancer = instance => commands.filter(it => it.instanceId === instance && done.has(it.id)).reduce((on, it) => it.stepAction.endsWith('detach') ? false : it.stepAction.endsWith('attach') ? true : on, true)
  return html`<details class="topology" open=${status === 'RUNNING' || status === 'WAITING'}>
    <summary>Instances: ${done.size} of ${commands.length} commands done</summary>
    <div class="instances">${instances.map(instance => html`<section key=${instance} aria-label=${instance}>
      <h3>${instance} ${instance.startsWith('dispatcher') && html`<span class="badge" data-status=${inBalancer(instance) ? 'FINISHED' : 'WAITING'}>${inBalancer(instance) ? 'in the load balancer' : 'detached'}</span>`}</h3>
      <ol>${commands.filter(it => it.instanceId === instance).map(it => html`<li key=${it.id} data-state=${state(it)}>${WORDS[it.stepAction] ?? it.stepAction.replaceAll('-', ' ')} ${it.subject ?? ''}</li>`)}</ol></section>`)}</div>
  </details>`
}
