// The repositories of a program with their branches and tags.
import { html, useState } from '../core/view.js'
import { call } from '../core/api.js'
import { inProgram, useRead } from '../core/live.js'
import { readRepositories } from '../core/reads.js'
import { Actions } from '../parts/actions.js'
import { announce } from '../parts/announce.js'
import { Empty, Field, Heading, Missing, Panel, Table } from '../parts/basics.js'
import { Badge } from '../parts/status.js'

const TAG = 'refs/tags/'

async function read(program) {
  const repositories = await readRepositories(program)
  return Promise.all(repositories.map(async it => {
    const { heads } = await call('GET', `/_emulator/program/${program}/repository/${it.id}/heads`)
    return { ...it, heads }
  }))
}

const commitPath = ({ programId, id }, branch) =>
  `/_emulator/program/${programId}/repository/${id}/branch/${encodeURIComponent(branch)}/commits`

const tell = ({ branch, commitId, executionIds }) => announce(
  `${branch} is at ${commitId.slice(0, 12)}. ${executionIds.length ? `Started: ${executionIds.join(', ')}.` : 'No pipeline starts on it.'}`)

/** The page. */
export function Repositories({ program }) {
  const { data, error } = useRead(`repositories ${program}`, () => read(program), it => inProgram(program)(it) && it.type !== 'request')
  if (!data) return html`<${Missing} error=${error} />`
  return html`
    <${Heading}>Repositories</${Heading}>
    ${!data.length && html`<${Empty} title="There are no repositories">A seed can add some.</${Empty}>`}
    ${data.map(it => html`<${Repository} key=${it.id} repository=${it} />`)}`
}

function Repository({ repository }) {
  return html`
    <${Panel} title=${repository.repo}>
      <p class="quiet">${repository.repositoryUrl}</p>
      <${Table} label=${`Branches of ${repository.repo}`} columns=${['Branch or tag', 'Head', 'Actions']}>
        ${repository.heads.map(it => html`<${Branch} key=${it.name} repository=${repository} ...${it} />`)}
      </${Table}>
      <${NewBranch} repository=${repository} />
    </${Panel}>`
}

function Branch({ repository, name, commitId }) {
  const isTag = name.startsWith(TAG)
  const commit = {
    label: 'New commit',
    calls: [{ method: 'POST', path: commitPath(repository, name), body: {} }],
    done: tell
  }
  return html`
    <tr>
      <th scope="row">${name.replace(TAG, '')} ${isTag && html`<${Badge}>Tag</${Badge}>`}</th>
      <td><code title=${commitId}>${commitId.slice(0, 12)}</code></td>
      <td>${!isTag && html`<${Actions} list=${[commit]} />`}</td>
    </tr>`
}

function NewBranch({ repository }) {
  const [name, setName] = useState('')
  const create = {
    label: 'New branch',
    reason: name ? undefined : 'A branch needs a name.',
    calls: [{ method: 'POST', path: commitPath(repository, name), body: { create: true } }],
    done: answer => {
      setName('')
      tell(answer)
    }
  }
  return html`
    <div class="filters">
      <${Field} label="New branch"><input value=${name} onInput=${event => setName(event.target.value)} /></${Field}>
      <${Actions} list=${[create]} />
    </div>`
}
