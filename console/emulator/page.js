// The page of the emulator: everything that Cloud Manager itself does not have.
import { html } from '../core/view.js'
import { call } from '../core/api.js'
import { useRead } from '../core/live.js'
import { Facts, Failure, Heading, Panel } from '../parts/basics.js'
import { Clock } from './clock.js'
import { Faults } from './faults.js'
import { Journal } from './journal.js'
import { Roles } from './roles.js'
import { Scenarios } from './scenarios.js'
import { State } from './state.js'
import { Webhooks } from './webhooks.js'

/** The page. */
export function Emulator() {
  return html`
    <${Heading}>Emulator</${Heading}>
    <${Info} /><${Clock} /><${Scenarios} /><${Faults} /><${Journal} /><${Webhooks} /><${State} /><${Roles} />`
}

function Info() {
  const { data, error } = useRead('info', () => call('GET', '/_emulator/info'), ({ type }) => type === 'execution' || type === 'program')
  if (!data) return html`<${Failure} error=${error} />`
  const { counts, options, organisations, version } = data
  return html`
    <${Panel} title="Info" aside=${html`<a href="/openapi.yaml">API description</a>`}>
      <${Facts} of=${[
        ['Version', version], ['Authentication', options.auth], ['Pace', options.pace], ['Organisations', organisations.join(', ')],
        ['Programs', counts.programs], ['Pipelines', counts.pipelines],
        ['Executions', `${counts.executions}, ${counts.runningExecutions} running`]]} />
    </${Panel}>`
}
