// The artifacts of a step: what a build leaves, and the details of scans and tests.
import { html, useState } from '../core/view.js'
import { list, save } from '../core/api.js'
import { link } from '../core/steps.js'
import { Failure } from '../parts/basics.js'

/** "Download Details", which lists the files. */
export function Artifacts({ step }) {
  const [state, setState] = useState(/** @type {any} */ ({}))
  const path = link(step, 'pipeline/logs').replace(/logs$/, 'artifacts')
  const read = () => list(path, 'artifacts').then(files => setState({ files }), error => setState({ error }))
  const { files, error } = state
  if (!files) return html`<button type="button" onClick=${read}>Download Details</button><${Failure} error=${error} />`
  if (!files.length) return html`<span class="quiet">The step has no artifacts.</span>`
  return html`
    <ul class="actions files">
      ${files.map(it => html`
        <li key=${it.id}><button type="button" onClick=${() => save(it._links.self.href, it.file.split('/').pop())}>${it.file}</button></li>`)}
    </ul>`
}
