// The results of a gate, in its three tiers.
import { html } from '../view.js'
import { call } from '../api.js'
import { useRead } from '../live.js'
import { gateOf, link } from '../steps.js'
import { Action, Dialog, Missing } from './basics.js'

const TIERS = [['critical', 'Critical'], ['important', 'Important'], ['informational', 'Information']]
const COMPARATORS = { GT: 'more than ', GTE: '', LT: 'less than ', LTE: '', EQ: '', NEQ: 'not ' }
const ENDS = { GTE: ' or more', LTE: ' or less' }
const UNITS = { coverage: '%', error_rate: '%', cpu_utilization_rate: '%', disk_io_wait_time: '%', response_time: ' s', peak_resp_time: ' s', duplicated_lines_density: '%', disk_bandwidth_util: '%', network_bandwidth_util: '%' }
const NAMES = { coverage: 'Code coverage', sqale_rating: 'Maintainability rating', peak_resp_time: 'Peak response time', cpu_utilization_rate: 'CPU utilization rate' }

const nameOf = kpi => NAMES[kpi] ?? (kpi[0].toUpperCase() + kpi.slice(1)).replaceAll('_', ' ')

/** Writes a metric as a sentence: "Code coverage is 50% or more". */
function sentence({ kpi, comparator, expectedValue }) {
  const end = comparator === 'GTE' && /^[A-E]$/.test(expectedValue) ? ' or better' : ENDS[comparator] ?? ''
  return `${nameOf(kpi)} is ${COMPARATORS[comparator]}${expectedValue}${UNITS[kpi] ?? ''}${end}`
}

function Bar({ actualValue, expectedValue, passed }) {
  const [actual, expected] = [Number(actualValue), Number(expectedValue)]
  if (!Number.isFinite(actual) || !Number.isFinite(expected)) return null
  const scale = Math.max(actual, expected, 1) * 1.1
  return html`<svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
    <rect class="rest" width="100" height="6" /><rect class=${passed ? 'good' : 'bad'} width=${actual / scale * 100} height="6" />
    <rect class="limit" x=${expected / scale * 100} width="0.8" height="6" /></svg>`
}

function Tier({ name, metrics }) {
  const failed = metrics.filter(it => !it.passed).length
  return html`<section class="tier"><h3>${name} <small class="quiet">${metrics.length - failed} passed, ${failed} failed</small></h3>
    <ul>${metrics.map(it => html`<li key=${it.id} data-passed=${String(it.passed)}>
      <span class="mark" aria-label=${it.passed ? 'Passed' : 'Failed'}>${it.passed ? '✓' : '✗'}</span>
      <span>${sentence(it)} ${it.override && html`<em>overridden</em>`}</span>
      <b>${it.actualValue}${UNITS[it.kpi] ?? ''}</b><${Bar} ...${it} /></li>`)}</ul></section>`
}

/** The dialog of a gate; while the step waits, Override and Reject are at its foot. */
export function GateDialog({ step, close }) {
  const path = link(step, 'pipeline/metrics')
  const { data, error } = useRead(`${path} ${step.status}`, () => call('GET', path), () => false)
  const metrics = data?.metrics ?? []
  const failed = metrics.filter(it => !it.passed)
  const verdict = step.status === 'FAILED' ? 'Failed' : failed.length ? 'Partially passed' : 'Passed'
  const override = failed.filter(it => it.severity === 'important').map(({ kpi }) => ({ kpi, override: true }))
  return html`<${Dialog} title=${gateOf(step)} close=${close} wide>
    ${!data ? html`<${Missing} error=${error} />` : html`
      <p><span class="badge" data-status=${verdict === 'Passed' ? 'FINISHED' : verdict === 'Failed' ? 'FAILED' : 'WAITING'}>${verdict}</span>
        ${step.details.input?.override && html` <span>The important failures were overridden.</span>`}</p>
      ${!metrics.length && html`<p>This step has no metrics.</p>`}
      ${TIERS.map(([severity, name]) => html`<${Tier} name=${name} metrics=${metrics.filter(it => it.severity === severity)} />`)}
      ${step.status === 'WAITING' && html`<footer>
        <${Action} label="Reject" kind="danger" calls=${[{ method: 'PUT', path: link(step, 'pipeline/cancel'), body: { override: false } }]} done=${close} ask="The step and the execution fail." />
        <${Action} label="Override" kind="primary" calls=${[{ method: 'PUT', path: link(step, 'pipeline/advance'), body: { metrics: override } }]} done=${close} />
      </footer>`}`}
  </${Dialog}>`
}
