// Faults that are injected into calls.
import { html, useState } from '../core/view.js'
import { call } from '../core/api.js'
import { useRead } from '../core/live.js'
import { Actions } from '../parts/actions.js'
import { Failure, Field, Panel, Picker, Time } from '../parts/basics.js'

const PATH = '/_emulator/faults'
const PRESETS = [
  ['flaky-401', 'flaky-401: every 20th call is refused'], ['outage-503', 'outage-503: nothing answers'],
  ['reset-mid-log', 'reset-mid-log: log downloads break off'], ['slow', 'slow: every answer is late']
]
const BROKEN = ['CONNECTION_RESET_BY_PEER', 'EMPTY_RESPONSE', 'MALFORMED_RESPONSE_CHUNK', 'RANDOM_DATA_THEN_CLOSE']
const NUMBERS = ['status', 'after', 'every', 'times', 'retryAfter']

/** The section. */
export function Faults() {
  const { data, error, again } = useRead('faults', () => call('GET', PATH), ({ type }) => type === 'request')
  const [preset, setPreset] = useState(PRESETS[0][0])
  const rules = data?.faults ?? []
  const removeAll = { label: 'Remove all', kind: 'negative', ask: 'All fault rules are removed.', calls: [{ method: 'DELETE', path: PATH }], done: again }
  return html`
    <${Panel} title="Faults">
      <p class="quiet">Faults make calls to /api fail, as networks and services do. The first rule that fits a call is used.</p>
      <${Failure} error=${error} />
      <div class="filters">
        <${Picker} label="Preset of a fault" value=${preset} options=${PRESETS} change=${setPreset} />
        <${Actions} list=${[{ label: 'Add fault', calls: [{ method: 'POST', path: PATH, body: { preset } }], done: again }]} />
      </div>
      <details><summary>A rule of your own</summary><${NewRule} done=${again} /></details>
      ${data && !rules.length && html`<p class="quiet">No faults are injected.</p>`}
      ${rules.length > 0 && html`
        <ul class="rows">${rules.map(it => html`<${Rule} key=${it.id} rule=${it} done=${again} />`)}</ul>
        <${Actions} list=${[removeAll]} />`}
    </${Panel}>`
}

function Rule({ rule, done }) {
  const effects = [rule.status, rule.fault, rule.latency && `late by ${rule.latency}`].filter(Boolean).join(', ')
  return html`
    <li>
      <span>
        <b>${rule.preset ?? effects}</b>
        <small class="quiet">${rule.operation ?? 'All of /api'} · ${rule.preset && `${effects} · `}applied ${rule.used} times to ${rule.matched} calls
          ${rule.expiresAt && html` · until <${Time} at=${rule.expiresAt} />`}</small>
      </span>
      <${Actions} list=${[{ label: 'Remove', calls: [{ method: 'DELETE', path: `${PATH}/${rule.id}` }], done }]} />
    </li>`
}

function NewRule({ done }) {
  const [rule, setRule] = useState(/** @type {Record<string, any>} */ ({}))
  const set = name => value => setRule({ ...rule, [name]: value })
  const text = (name, label, placeholder) => html`
    <${Field} label=${label}>
      <input type=${NUMBERS.includes(name) ? 'number' : 'text'} min="0" value=${rule[name] ?? ''} placeholder=${placeholder}
        onInput=${event => set(name)(event.target.value)} />
    </${Field}>`
  const entries = Object.entries(rule).filter(([, value]) => value !== '')
  const body = Object.fromEntries(entries.map(([name, value]) => [name, NUMBERS.includes(name) ? Number(value) : value]))
  const add = {
    label: 'Add rule',
    reason: body.status || body.fault || body.latency ? undefined : 'A rule needs a status, a broken connection or a latency.',
    calls: [{ method: 'POST', path: PATH, body }],
    done: () => {
      setRule({})
      done()
    }
  }
  return html`
    <div class="filters">
      ${text('operation', 'Operation', 'startPipeline')}
      ${text('status', 'Status', '503')}
      <${Picker} label="Broken connection" value=${rule.fault ?? ''} change=${set('fault')} options=${[['', 'None'], ...BROKEN.map(it => [it, it])]} />
      ${text('latency', 'Latency', 'PT0.5S')}
      ${text('after', 'Skip the first', '0')}
      ${text('every', 'Every n-th call', '1')}
      ${text('times', 'At most', 'Always')}
      ${text('retryAfter', 'Retry-After in seconds', '')}
      ${text('ttl', 'For', 'PT5M')}
      <${Actions} list=${[add]} />
    </div>`
}
