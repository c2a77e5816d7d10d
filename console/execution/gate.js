// The results of a gate, in its three tiers.
import { html } from '../core/view.js'
import { call } from '../core/api.js'
import { useRead } from '../core/live.js'
import { link, resultsOf } from '../core/steps.js'
import { Actions } from '../parts/actions.js'
import { Dialog, Missing } from '../parts/basics.js'
import { Badge } from '../parts/status.js'

const TIERS = [['critical', 'Critical'], ['important', 'Important'], ['informational', 'Information']]
const COMPARATORS = { GT: 'more than ', GTE: '', LT: 'less than ', LTE: '', EQ: '', NEQ: 'not ' }
const ENDS = { GTE: ' or more', LTE: ' or less' }
const PERCENT = ['coverage', 'error_rate', 'cpu_utilization_rate', 'disk_io_wait_time', 'duplicated_lines_density', 'disk_bandwidth_util',
  'network_bandwidth_util']
const SECONDS = ['response_time', 'peak_resp_time']
const NAMES = {
  coverage: 'Code Coverage', sqale_rating: 'Maintainability Rating', peak_resp_time: 'Peak Response Time',
  cpu_utilization_rate: 'CPU Utilization Rate', disk_io_wait_time: 'Disk I/O Wait Time', ssl_configuration: 'SSL Configuration'
}

const nameOf = kpi => NAMES[kpi] ?? kpi.split('_').map(word => word[0].toUpperCase() + word.slice(1)).join(' ')
const unitOf = kpi => PERCENT.includes(kpi) ? '%' : SECONDS.includes(kpi) ? ' s' : ''

/** Writes a metric as a sentence: "Code Coverage is 50% or more". */
function sentence({ kpi, comparator, expectedValue }) {
  const end = comparator === 'GTE' && /^[A-E]$/.test(expectedValue) ? ' or better' : ENDS[comparator] ?? ''
  return `${nameOf(kpi)} is ${COMPARATORS[comparator]}${expectedValue}${unitOf(kpi)}${end}`
}

/** The actual value as a bar, with a mark at the limit. */
function Bar({ actualValue, expectedValue, passed }) {
  const [actual, expected] = [Number(actualValue), Number(expectedValue)]
  if (!Number.isFinite(actual) || !Number.isFinite(expected)) return html`<span></span>`
  const scale = Math.max(actual, expected, 1) * 1.1
  return html`
    <span class="track" aria-hidden="true">
      <span class="bar" data-tone=${passed ? 'positive' : 'negative'} style=${{ width: `${actual / scale * 100}%` }}></span>
      <span class="limit" style=${{ left: `${expected / scale * 100}%` }}></span>
    </span>`
}

function Tier({ name, metrics }) {
  const failed = metrics.filter(it => !it.passed).length
  return html`
    <section class="tier">
      <h3>${name} <small class="quiet">${metrics.length - failed} passed, ${failed} failed</small></h3>
      <ul>
        ${metrics.map(it => html`
          <li key=${it.id} data-tone=${it.passed ? 'positive' : 'negative'}>
            <span class="mark" role="img" aria-label=${it.passed ? 'Passed' : 'Failed'}>${it.passed ? '✓' : '✗'}</span>
            <span>${sentence(it)} ${it.override && html`<${Badge}>Overridden</${Badge}>`}</span>
            <b>${it.actualValue}${unitOf(it.kpi)}</b>
            <${Bar} ...${it} />
          </li>`)}
      </ul>
    </section>`
}

function verdictOf(step, metrics) {
  if (step.status === 'FAILED' || metrics.some(it => !it.passed && it.severity === 'critical')) return ['Failed', 'negative']
  return metrics.every(it => it.passed) ? ['Passed', 'positive'] : ['Partially passed', 'notice']
}

/** The dialog. While the step waits, Override and Reject are at its foot. */
export function GateDialog({ step, close }) {
  const path = link(step, 'pipeline/metrics')
  const { data, error } = useRead(`${path} ${step.status}`, () => call('GET', path))
  const metrics = data?.metrics ?? []
  const [verdict, tone] = verdictOf(step, metrics)
  const failed = metrics.filter(it => !it.passed && it.severity === 'important')
  const reject = {
    label: 'Reject', kind: 'negative', ask: 'The step and the execution fail.', done: close,
    calls: [{ method: 'PUT', path: link(step, 'pipeline/cancel'), body: { override: false } }]
  }
  const override = {
    label: 'Override', kind: 'accent', done: close,
    calls: [{ method: 'PUT', path: link(step, 'pipeline/advance'), body: { metrics: failed.map(({ kpi }) => ({ kpi, override: true })) } }]
  }
  return html`
    <${Dialog} title=${resultsOf(step)} close=${close} wide>
      ${!data ? html`<${Missing} error=${error} />` : html`
        <p><${Badge} tone=${tone}>${verdict}</${Badge}> ${step.details.input?.override && 'The failed important metrics were overridden.'}</p>
        ${!metrics.length && html`<p>The step has no metrics.</p>`}
        ${TIERS.map(([severity, name]) => html`
          <${Tier} key=${severity} name=${name} metrics=${metrics.filter(it => it.severity === severity)} />`)}
        ${step.status === 'WAITING' && html`<footer><${Actions} list=${[reject, override]} /></footer>`}`}
    </${Dialog}>`
}
