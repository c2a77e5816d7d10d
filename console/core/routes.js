// Which page an address means, and moving between pages without loading the document again.
import { html, useEffect } from './view.js'
import { store } from './store.js'

const read = () => location.pathname + location.search
const address = store(read())

window.addEventListener('popstate', () => address.set(read()))

/**
 * Returns the page that a path means, with the ids in the path.
 * @param {string} path
 * @returns {{ page: string, program?: string, pipeline?: string, execution?: string }}
 */
export function route(path) {
  const [first, program, section = 'overview', pipeline, word, execution, ...rest] = path.split('/').filter(Boolean)
  if (!first) return { page: 'start' }
  if (first === 'emulator' && !program) return { page: 'emulator' }
  if (first !== 'program' || !program || rest.length) return { page: 'unknown' }
  if (section === 'pipeline' && word === 'execution' && execution) return { page: 'execution', program, pipeline, execution }
  return pipeline ? { page: 'unknown' } : { page: section, program }
}

/**
 * Goes to a page.
 * @param {string} path
 */
export function go(path) {
  history.pushState(null, '', path)
  window.scrollTo(0, 0)
  address.set(read())
}

/** Returns the current path, and renders again when it changes. */
export const usePath = () => address.use().split('?')[0]

/** Returns the filters in the address, and a function that changes one; an empty text removes it. */
export function useQuery() {
  const query = new URLSearchParams(address.use().split('?')[1] ?? '')
  /** @param {string} name @param {string} [value] */
  const set = (name, value) => {
    const next = new URLSearchParams(location.search)
    if (value) next.set(name, value)
    else next.delete(name)
    const text = next.toString()
    history.replaceState(null, '', location.pathname + (text ? `?${text}` : ''))
    address.set(read())
  }
  return { get: (/** @type {string} */ name) => query.get(name) ?? '', set }
}

/** A link to a page of the console. */
export function Link({ to, children, ...rest }) {
  const follow = event => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return
    event.preventDefault()
    go(to)
  }
  return html`<a href=${to} onClick=${follow} ...${rest}>${children}</a>`
}

/** Addresses of pages. */
export const paths = {
  page: (program, page) => `/program/${program}/${page}`,
  execution: it => `/program/${it.programId}/pipeline/${it.pipelineId}/execution/${it.executionId ?? it.id}`,
  start: pipeline => `/program/${pipeline.programId}/pipeline/${pipeline.id}/execution/new`
}

/** Scrolls to the element that the fragment of the address names, once it is there. */
export function useFragment(ready) {
  useEffect(() => {
    if (!ready || !location.hash) return
    document.getElementById(location.hash.slice(1))?.scrollIntoView()
  }, [Boolean(ready)])
}
