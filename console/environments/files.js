// The configuration files of a dispatcher, and where each comes from.
import { html } from '../core/view.js'
import { Dialog, Table } from '../parts/basics.js'

const ORIGINS = { baseline: 'Baseline, immutable', provisioning: 'Provisioning' }

/** The dialog. */
export const FilesDialog = ({ instance, close }) => html`
  <${Dialog} title=${`Configuration of ${instance.instanceId}`} close=${close} wide>
    <${Table} label="Files" columns=${['File', 'Origin']}>
      ${instance.files.map(it => html`
        <tr key=${it.path}>
          <th scope="row"><code>${it.path}</code></th>
          <td>${ORIGINS[it.origin] ?? it.origin}${it.executionId ? ` · execution ${it.executionId}` : ''}</td>
        </tr>`)}
    </${Table}>
  </${Dialog}>`
