// Snapshots, the reset, and seeds.
import { html, useState } from '../core/view.js'
import { call } from '../core/api.js'
import { Actions } from '../parts/actions.js'
import { announce } from '../parts/announce.js'
import { Failure, Field, Panel } from '../parts/basics.js'

/** The section. */
export function State() {
  const [seed, setSeed] = useState('')
  const reset = (label, body, ask) => ({
    label, kind: 'negative', ask, calls: [{ method: 'POST', path: '/_emulator/reset', body }], done: () => announce('The emulator is reset.')
  })
  const add = {
    label: 'Add seed', reason: seed ? undefined : 'The seed is empty.',
    calls: [{ method: 'POST', path: '/_emulator/seed', body: seed }],
    done: () => {
      setSeed('')
      announce('The seed is added.')
    }
  }
  return html`
    <${Panel} title="Snapshots, reset and seed">
      <div class="filters">
        <a class="button" href="/_emulator/state" download="cloudmanager.db">Download a snapshot</a>
        <${Restore} />
      </div>
      <${Actions} list=${[
        reset('Reset', {}, 'Everything goes back to the seed: data, counters, clock, journal, faults and scenarios.'),
        reset('Reset to nothing', { to: 'empty' }, 'All data is removed, that of the seed, too.')]} />
      <${Field} label="Seed to add, as YAML or JSON" wide>
        <textarea rows="6" value=${seed} onInput=${event => setSeed(event.target.value)}></textarea>
      </${Field}>
      <p class="quiet">The form of seeds: <code>cloudmanager-emulator schema</code>.</p>
      <${Actions} list=${[add]} />
    </${Panel}>`
}

function Restore() {
  const [state, setState] = useState(/** @type {any} */ ({}))
  const restore = async () => {
    const request = { headers: { 'content-type': 'application/vnd.sqlite3' } }
    await call('PUT', '/_emulator/state', state.file, request).then(() => {
      setState({})
      announce('The snapshot is restored.')
    }, error => setState({ ...state, error }))
  }
  const open = () => setState({ ...state, asking: true })
  return html`
    <${Field} label="Snapshot to restore">
      <input type="file" onChange=${event => setState({ file: event.target.files[0] })} />
    </${Field}>
    ${state.file && !state.asking && html`<button type="button" class="negative" onClick=${open}>Restore</button>`}
    ${state.asking && html`
      <span class="actions">The whole state is replaced.
        <button type="button" onClick=${() => setState({ file: state.file })}>Back</button>
        <button type="button" class="negative" onClick=${restore}>Restore</button>
      </span>`}
    <${Failure} error=${state.error} />`
}
