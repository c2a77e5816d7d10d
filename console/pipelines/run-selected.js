// Starting several pipelines at once.
import { html, useState } from '../core/view.js'
import { Actions } from '../parts/actions.js'
import { announce } from '../parts/announce.js'
import { Dialog } from '../parts/basics.js'
import { startPath } from './run.js'

/** The button, and the dialog that says which pipelines can't be run, and why. */
export function RunSelected({ pipelines, done }) {
  const [asking, setAsking] = useState(false)
  const busy = pipelines.filter(it => it.status === 'BUSY')
  const ready = pipelines.filter(it => it.status !== 'BUSY')
  const close = () => setAsking(false)
  const run = {
    label: `Run ${ready.length} pipelines`,
    kind: 'accent',
    reason: ready.length ? undefined : 'None of the pipelines can be run.',
    calls: ready.map(it => ({ method: 'PUT', path: startPath(it) })),
    done: () => {
      close()
      done()
      announce('The pipelines are running.')
    }
  }
  return html`
    <button type="button" disabled=${!pipelines.length} onClick=${() => setAsking(true)}>Run selected (${pipelines.length})</button>
    ${asking && html`
      <${Dialog} title="Run selected pipelines" close=${close}>
        ${busy.length > 0 && html`
          <p>These pipelines can’t be run:</p>
          <ul>${busy.map(it => html`<li key=${it.id}>${it.name}: an execution is running.</li>`)}</ul>`}
        ${ready.length > 0 && html`
          <p>These pipelines are run in Normal Mode:</p>
          <ul>${ready.map(it => html`<li key=${it.id}>${it.name}</li>`)}</ul>`}
        <footer><${Actions} list=${[run]}><button type="button" onClick=${close}>Cancel</button></${Actions}></footer>
      </${Dialog}>`}`
}
