// The logs of an environment: one file per service and day.
import { html, useState } from '../core/view.js'
import { list, save } from '../core/api.js'
import { useRead } from '../core/live.js'
import { link } from '../core/steps.js'
import { Actions } from '../parts/actions.js'
import { Dialog, Failure, Picker } from '../parts/basics.js'
import { LogDialog } from '../parts/log.js'

const DAYS = [['1', '1 day'], ['7', '7 days'], ['30', '30 days']]

/** The dialog "Download Logs". */
export function LogsDialog({ environment, close }) {
  const options = environment.availableLogOptions ?? []
  const [chosen, setChosen] = useState('0')
  const [days, setDays] = useState('7')
  const [followed, setFollowed] = useState(/** @type {any} */ (undefined))
  const option = options[Number(chosen)] ?? {}
  const path = `/api/program/${environment.programId}/environment/${environment.id}/logs?service=${option.service}&name=${option.name}&days=${days}`
  const { data, error } = useRead(path, () => list(path, 'downloads'))
  if (followed) {
    return html`<${LogDialog} title=${`${followed.service} · ${followed.name}, today`} path=${link(followed, 'logs/tail')} plain active
      name=${`${followed.service}-${followed.name}.log`} close=${() => setFollowed(undefined)} />`
  }
  return html`
    <${Dialog} title="Download Logs" close=${close}>
      <div class="filters">
        <${Picker} label="Service" value=${chosen} change=${setChosen}
          options=${options.map((it, index) => [String(index), `${it.service} · ${it.name}`])} />
        <${Picker} label="Days" value=${days} change=${setDays} options=${DAYS} />
      </div>
      <${Failure} error=${error} />
      <ul class="rows">
        ${data?.map(it => html`<${Day} key=${`${it.service} ${it.name} ${it.date}`} of=${it} follow=${() => setFollowed(it)} />`)}
      </ul>
    </${Dialog}>`
}

function Day({ of, follow }) {
  const href = link(of, 'logs/download')
  const [error, setError] = useState(/** @type {any} */ (undefined))
  const download = () => save(href, `${of.service}-${of.name}-${of.date}.log.gz`).then(() => setError(undefined), setError)
  const follows = link(of, 'logs/tail') && { label: 'Follow', calls: [{ method: 'GET', path: link(of, 'logs/tail') }], open: follow }
  return html`
    <li>
      <span>${of.date}</span>
      <${Failure} error=${error} />
      <${Actions} list=${[follows, { label: 'Download', calls: [{ method: 'GET', path: href }], open: download }]} />
    </li>`
}
