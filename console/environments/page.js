// The environments of a program: what is on each instance, logs and variables.
import { html, useState } from '../core/view.js'
import { call } from '../core/api.js'
import { inProgram, useRead } from '../core/live.js'
import { readEnvironments } from '../core/reads.js'
import { link } from '../core/steps.js'
import { Actions } from '../parts/actions.js'
import { Empty, Failure, Heading, Missing, Panel, Picker, Table, Time } from '../parts/basics.js'
import { Light } from '../parts/status.js'
import { VariablesDialog } from '../pipelines/variables.js'
import { FilesDialog } from './files.js'
import { LogsDialog } from './logs.js'

const STATUSES = ['ready', 'creating', 'updating', 'deleting', 'failed']

const concerns = program => change => inProgram(program)(change) && change.type !== 'request'

/** The page. */
export function Environments({ program }) {
  const { data, error } = useRead(`environments ${program}`, () => readEnvironments(program), concerns(program))
  if (!data) return html`<${Missing} error=${error} />`
  return html`
    <${Heading}>Environments</${Heading}>
    ${!data.length && html`<${Empty} title="There are no environments">A seed can add some.</${Empty}>`}
    ${data.map(it => html`<${Environment} key=${it.id} environment=${it} />`)}`
}

function Environment({ environment }) {
  const [open, setOpen] = useState('')
  const { programId, id, name, type, status } = environment
  const path = `/api/program/${programId}/environment/${id}`
  const close = () => setOpen('')
  const logs = { label: 'Download Logs', calls: [{ method: 'GET', path: `${path}/logs?service=author&name=aemerror&days=1` }], open: () => setOpen('logs') }
  const variables = { label: 'Variables', calls: [{ method: 'GET', path: `${path}/variables` }], open: () => setOpen('variables') }
  return html`
    <${Panel} title=${name} aside=${html`<${Light} tone=${status === 'ready' ? 'positive' : 'notice'}>${status === 'ready' ? 'Running' : status}</${Light}>`}>
      <p class="quiet">
        ${type} · ${environment.region}
        ${['author', 'publish'].map(it => link(environment, it) && html` · <a key=${it} href=${link(environment, it)} rel="noreferrer">${it}</a>`)}
      </p>
      <${Instances} program=${programId} environment=${id} />
      <${Actions} list=${[logs, variables]}><${SetStatus} environment=${environment} /></${Actions}>
      ${open === 'logs' && html`<${LogsDialog} environment=${environment} close=${close} />`}
      ${open === 'variables' && html`
        <${VariablesDialog} path=${`${path}/variables`} title=${`Variables of ${name}`} services=${['author', 'publish']} close=${close} />`}
    </${Panel}>`
}

/** Sets the status, so that a validation meets an environment that is not ready. */
function SetStatus({ environment }) {
  const [error, setError] = useState(/** @type {any} */ (undefined))
  const { programId, id, status } = environment
  const change = next => call('PATCH', `/_emulator/program/${programId}/environment/${id}`, { status: next }).then(() => setError(undefined), setError)
  const known = STATUSES.includes(status) ? STATUSES : [status, ...STATUSES]
  return html`
    <${Picker} label="Status" value=${status} change=${change} options=${known.map(it => [it, it])} />
    <${Failure} error=${error} />`
}

function Instances({ program, environment }) {
  const path = `/_emulator/program/${program}/environment/${environment}/instances`
  const { data, error } = useRead(path, () => call('GET', path), concerns(program))
  const [shown, setShown] = useState(/** @type {any} */ (undefined))
  if (!data) return html`<${Missing} error=${error} />`
  return html`
    <${Table} label="Instances" columns=${['Segment', 'Status', 'What is deployed']}>
      ${data.instances.map(it => html`
        <tr key=${it.instanceId}>
          <th scope="row">${it.instanceId}<small class="quiet">${it.instanceType}</small></th>
          <td class="nowrap">${it.attached === undefined ? html`<${Light} tone="positive">Running</${Light}>`
            : it.attached ? html`<${Light} tone="positive">In the load balancer</${Light}>`
              : html`<${Light} tone="notice">Not in the load balancer</${Light}>`}</td>
          <td><${Deployed} instance=${it} show=${() => setShown(it)} /></td>
        </tr>`)}
    </${Table}>
    ${shown && html`<${FilesDialog} instance=${shown} close=${() => setShown(undefined)} />`}`
}

function Deployed({ instance, show }) {
  const { packages, files, cacheFlush } = instance
  if (packages) {
    return packages.length
      ? packages.map(it => html`<span class="chip" key=${it.name} title=${it.group}>${it.name} ${it.version}</span>`)
      : html`<span class="quiet">No packages</span>`
  }
  const flushed = cacheFlush?.at
  return html`
    <button type="button" class="quiet-button" onClick=${show}>${files?.length ?? 0} configuration files</button>
    ${flushed && html`<small class="quiet">Cache flushed <${Time} at=${flushed} /></small>`}`
}
