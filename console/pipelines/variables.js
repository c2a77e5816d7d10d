// The variables of a pipeline or an environment.
import { html, useState } from '../core/view.js'
import { list } from '../core/api.js'
import { useRead } from '../core/live.js'
import { Actions } from '../parts/actions.js'
import { Dialog, Failure, Field, Picker } from '../parts/basics.js'

/** The dialog. `services` are those of an environment; a pipeline has none. */
export function VariablesDialog({ path, title, services = [], close }) {
  const { data, error, again } = useRead(path, () => list(path, 'variables'))
  const remove = ({ name, type, service }) => ({
    label: 'Delete', kind: 'negative', ask: `The variable ${name} is deleted.`, done: again,
    calls: [{ method: 'PATCH', path, body: [{ name, type, service, value: '' }] }]
  })
  return html`
    <${Dialog} title=${title} close=${close} wide>
      <${Failure} error=${error} />
      ${data?.length === 0 && html`<p class="quiet">There are no variables.</p>`}
      <ul class="rows">
        ${data?.map(it => html`
          <li key=${`${it.name} ${it.service}`}>
            <span><b>${it.name}</b><small class="quiet">${it.type}${it.service ? ` · ${it.service}` : ''}</small></span>
            <code>${it.type === 'secretString' ? '••••••' : it.value}</code>
            <${Actions} list=${[remove(it)]} />
          </li>`)}
      </ul>
      <${NewVariable} path=${path} services=${services} done=${again} />
    </${Dialog}>`
}

function NewVariable({ path, services, done }) {
  const [it, setIt] = useState({ name: '', value: '', type: 'string', service: services[0] })
  const change = name => value => setIt({ ...it, [name]: value })
  const text = name => html`<input value=${it[name]} onInput=${event => change(name)(event.target.value)} />`
  const save = {
    label: 'Save variable',
    kind: 'accent',
    reason: it.name && it.value ? undefined : 'A variable needs a name and a value.',
    calls: [{ method: 'PATCH', path, body: [it] }],
    done: () => {
      setIt({ ...it, name: '', value: '' })
      done()
    }
  }
  return html`
    <div class="filters">
      <${Field} label="Name">${text('name')}</${Field}>
      <${Field} label="Value">${text('value')}</${Field}>
      <${Picker} label="Type" value=${it.type} change=${change('type')} options=${[['string', 'Text'], ['secretString', 'Secret']]} />
      ${services.length > 0 && html`
        <${Picker} label="Service" value=${it.service} change=${change('service')} options=${services.map(name => [name, name])} />`}
    </div>
    <footer><${Actions} list=${[save]} /></footer>`
}
