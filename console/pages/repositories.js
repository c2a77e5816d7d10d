// The repositories of a program with their branches.
import { html } from '../view.js'
import { call } from '../api.js'
import { useRead } from '../live.js'
import { Action, Missing, Table, announce } from '../parts/basics.js'

async function read(program) {
  const { _embedded: { repositories } } = await call('GET', `/api/program/${program}/repositories`)
  return Promise.all(repositories.map(async it => ({ ...it, branches: (await call('GET', `/api/program/${program}/repository/${it.id}/branches`))._embedded.branches })))
}

/** The page. */
export function Repositories({ program }) {
  const { data, error } = useRead(`repositories ${program}`, () => read(program), change => change.programId === program)
  if (!data) return html`<${Missing} error=${error} />`
  const commit = (repository, branch) => `/_emulator/program/${program}/repository/${repository.id}/branch/${encodeURIComponent(branch.name)}/commits`
  return html`<h1>Repositories</h1>${!data.length && html`<p>The program has no repositories.</p>`}
    ${data.map(it => html`<section class="card" key=${it.id} aria-label=${it.repo}><h2>${it.repo}</h2><p class="quiet">${it.repositoryUrl}</p>
      <${Table} label=${`Branches of ${it.repo}`} columns=${['Branch', 'Actions']}>${it.branches.map(branch => html`<tr key=${branch.name}><th scope="row">${branch.name}</th>
        <td><${Action} label="New commit" calls=${[{ method: 'POST', path: commit(it, branch), body: {} }]} done=${({ commitId }) => announce(`${branch.name} is at ${commitId}.`)} /></td></tr>`)}</${Table}></section>`)}`
}
