// What a step does, in a sentence.
import { html } from '../core/view.js'
import { Badge } from '../parts/status.js'

/** The sentence. */
export function About({ step, execution }) {
  if (step.action === 'validate') return html`<p class="quiet">The pipeline is verified against a set of pre-defined rules.</p>`
  if (step.action === 'build') return html`<${Build} step=${step} copies=${execution.trigger === 'RE_EXECUTE'} />`
  if (!step.environment) return null
  const deployed = execution._embedded.stepStates.find(it => it.environmentId === step.environmentId && it.details.environmentUrls)
  const urls = step.action === 'approval' ? deployed?.details.environmentUrls ?? [] : []
  return html`
    <p class="quiet">${step.environment}
      ${urls.map(it => html` · <a key=${it.instanceType} href=${it.instanceUrl} rel="noreferrer">${it.instanceType}</a>`)}</p>`
}

const Build = ({ step, copies }) => html`
  ${copies && html`<p><${Badge} tone="info">Copying artifacts, not re-building</${Badge}></p>`}
  <p class="quiet">${[step.repository, step.branch, step.commitId?.slice(0, 12)].filter(Boolean).join(' · ')}</p>`
