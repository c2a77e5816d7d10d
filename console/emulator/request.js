// A recorded request in full.
import { html } from '../core/view.js'
import { Dialog, Facts, Time } from '../parts/basics.js'

const write = body => typeof body === 'string' ? body : JSON.stringify(body, null, 2)

const Body = ({ title, of, truncated }) => of !== undefined && html`
  <section aria-label=${title}>
    <h3>${title}</h3>
    <pre tabindex="0">${write(of)}</pre>
    ${truncated && html`<small class="quiet">The rest was not recorded.</small>`}
  </section>`

/** The dialog. */
export const RequestDialog = ({ request, close }) => html`
  <${Dialog} title=${`Request ${request.number}`} close=${close} wide>
    <p><code>${request.method} ${request.path}${request.query ? `?${request.query}` : ''}</code></p>
    <${Facts} of=${[
      ['Operation', request.operationId], ['Status', request.status ?? 'No answer'], ['Time', html`<${Time} at=${request.time} />`],
      ['Duration', `${request.duration} ms`], ['API key', request.apiKey], ['Organisation', request.organisation], ['Request id', request.requestId]]} />
    <${Body} title="Injected fault" of=${request.fault} />
    <${Body} title="Headers" of=${request.headers} />
    <${Body} title="Body" of=${request.body} truncated=${request.bodyTruncated} />
    <${Body} title="Answer" of=${request.answer} truncated=${request.answerTruncated} />
  </${Dialog}>`
