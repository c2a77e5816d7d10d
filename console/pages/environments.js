// The environments of a program, and their logs.
import { html, useState } from '../view.js'
import { call } from '../api.js'
import { useRead } from '../live.js'
import { Dialog, Failure, Missing } from '../parts/basics.js'
import { LogDialog, download } from '../parts/log.js'

/** The page. */
export function Environments({ program }) {
  const { data, error } = useRead(`environments ${program}`, () => call('GET', `/api/program/${program}/environments`), change => change.programId === program)
  if (!data) return html`<${Missing} error=${error} />`
  const list = data._embedded.environments
  return html`<h1>Environments</h1>${!list.length && html`<p>The program has no environments.</p>`}
    ${list.map(it => html`<${Environment} key=${it.id} environment=${it} />`)}`
}

function Environment({ environment }) {
  const [open, setOpen] = useState(false)
  const url = name => environment._links[`http://ns.adobe.com/adobecloud/rel/${name}`]?.href
  return html`<section class="card" aria-label=${environment.name}><header><h2>${environment.name}</h2>
    <span class="badge" data-status=${environment.status === 'ready' ? 'FINISHED' : 'WAITING'}>${environment.status}</span></header>
    <p class="quiet">${environment.type} · ${environment.region} ${['author', 'publish'].map(name => url(name) && html` · <a href=${url(name)} rel="noreferrer">${name}</a>`)}</p>
    <${Instances} environment=${environment} />
    <div class="row"><button type="button" onClick=${() => setOpen(true)}>Download Logs</button></div>
    ${open && html`<${Logs} environment=${environment} close=${() => setOpen(false)} />`}</section>`
}

function Instances({ environment }) {
  const { programId, id } = environment
  const path = `/_emulator/program/${programId}/environment/${id}/instances`
  const { data, error } = useRead(path, () => call('GET', path), change => change.programId === programId)
  if (!data) return html`<${Failure} error=${error} />`
  return html`<details><summary>${data.instances.length} instances</summary><div class="instances">${data.instances.map(it => html`<section key=${it.instanceId}><h3>${it.instanceId}</h3>
    <p class="quiet">${it.attached === undefined ? '' : it.attached ? 'in the load balancer' : 'not in the load balancer'}</p>
    <ul>${(it.packages ?? []).map(found => html`<li>${found.name} ${found.version}</li>`)}</ul>
    ${it.packages?.length === 0 && html`<p class="quiet">No packages are installed.</p>`}</section>`)}</div></details>`
}

function Logs({ environment, close }) {
  const options = environment.availableLogOptions ?? []
  const [chosen, setChosen] = useState(0)
  const [shown, setShown] = useState()
  const option = options[chosen]
  const path = `/api/program/${environment.programId}/environment/${environment.id}/logs?service=${option?.service}&name=${option?.name}&days=7`
  const { data, error } = useRead(path, async () => option && (await call('GET', path))._embedded.downloads, () => false)
  const hrefOf = it => it._links['http://ns.adobe.com/adobecloud/rel/logs/download'].href
  if (shown) return html`<${LogDialog} title=${`${shown.service} ${shown.name} ${shown.date}`} path=${hrefOf(shown)} name=${fileName(shown)} active=${shown === data?.[0]} close=${() => setShown()} />`
  return html`<${Dialog} title="Download Logs" close=${close}>
    <label class="field"><span>Service</span><select value=${chosen} onChange=${event => setChosen(Number(event.target.value))}>${options.map((it, index) => html`<option key=${index} value=${index}>${it.service} · ${it.name}</option>`)}</select></label>
    <${Failure} error=${error} />
    <ul class="rows">${(data ?? []).map(it => html`<li key=${it.date}><span>${it.date}</span><span class="row"><button type="button" onClick=${() => setShown(it)}>Show</button><button type="button" onClick=${() => download(hrefOf(it), fileName(it))}>Download</button></span></li>`)}</ul></${Dialog}>`
}

const fileName = it => `${it.service}-${it.name}-${it.date}.log`
