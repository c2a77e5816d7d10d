// A recorded request in full.
import { html } from '../core/view.js'
import { find } from '../core/api.js'
import { useRead } from '../core/live.js'
import { Link, paths } from '../core/routes.js'
import { nameOf } from '../core/steps.js'
import { emulatedAfter, parse } from '../core/time.js'
import { Dialog, Facts, Time } from '../parts/basics.js'
import { StatusLight } from '../parts/status.js'

const write = body => typeof body === 'string' ? body : JSON.stringify(body, null, 2)

const Body = ({ title, of, truncated }) => of !== undefined && html`
  <section aria-label=${title}>
    <h3>${title}</h3>
    <pre tabindex="0">${write(of)}</pre>
    ${truncated && html`<small class="quiet">The rest was not recorded.</small>`}
  </section>`

/** Returns the execution that a request is about: that of its path, or the one that it started. */
function executionOf({ path, answer }) {
  const [, program, pipeline, id] = path.match(/^\/api\/program\/([^/]+)\/pipeline\/([^/]+)\/execution(?:\/([^/]+))?/) ?? []
  return pipeline && (id ?? answer?.id) && { programId: program, pipelineId: pipeline, id: id ?? answer.id }
}

/** The steps that began or ended between the arrival of a request and its answer. */
function Changes({ request }) {
  const about = executionOf(request)
  const { data } = useRead(`changes ${request.number}`, async () => about && find(`/api${paths.execution(about)}`))
  if (!data || request.method === 'GET') return null
  const from = parse(request.time)
  const to = emulatedAfter(from, request.duration)
  const during = time => time && parse(time) >= from && parse(time) <= to
  const steps = data._embedded.stepStates.filter(it => during(it.startedAt) || during(it.finishedAt))
  return html`
    <section aria-label="Step changes">
      <h3>Step changes</h3>
      ${!steps.length && html`<p class="quiet">No step began or ended meanwhile.</p>`}
      <ul class="rows">
        ${steps.map(it => html`
          <li key=${it.id}><span>${nameOf(it)}</span><${StatusLight} of=${during(it.finishedAt) ? it.status : 'RUNNING'} /></li>`)}
      </ul>
      <${Link} to=${paths.execution(about)}>Execution ${about.id}</${Link}>
    </section>`
}

/** The dialog. */
export const RequestDialog = ({ request, close }) => html`
  <${Dialog} title=${`Request ${request.number}`} close=${close} wide>
    <p><code>${request.method} ${request.path}${request.query ? `?${request.query}` : ''}</code></p>
    <${Facts} of=${[
      ['Operation', request.operationId], ['Status', request.status ?? 'No answer'], ['Time', html`<${Time} at=${request.time} />`],
      ['Duration', `${request.duration} ms`], ['API key', request.apiKey], ['Organisation', request.organisation], ['Request id', request.requestId]]} />
    <${Changes} request=${request} />
    <${Body} title="Injected fault" of=${request.fault} />
    <${Body} title="Headers" of=${request.headers} />
    <${Body} title="Body" of=${request.body} truncated=${request.bodyTruncated} />
    <${Body} title="Answer" of=${request.answer} />
  </${Dialog}>`
