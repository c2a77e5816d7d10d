// Which page an address means, and moving between pages without loading the document again.
import { html, useEffect, useState } from './view.js'

const moved = new EventTarget()

window.addEventListener('popstate', () => moved.dispatchEvent(new Event('move')))

/** Returns the page that a path means, with the ids in the path. */
export function route(path) {
  const parts = path.split('/').filter(Boolean).map(decodeURIComponent)
  if (parts[0] === 'emulator') return { page: 'emulator' }
  if (parts[0] !== 'program') return { page: 'start' }
  const [, program, section = 'overview', pipeline, , execution] = parts
  if (section === 'pipeline' && execution) return { page: 'execution', program, pipeline, execution }
  return { page: section, program }
}

/** Goes to a page. */
export function go(path) {
  history.pushState(null, '', path)
  window.scrollTo(0, 0)
  moved.dispatchEvent(new Event('move'))
}

/** Returns the current path, and renders again when it changes. */
export function usePath() {
  const [path, setPath] = useState(location.pathname)
  useEffect(() => {
    const update = () => setPath(location.pathname)
    moved.addEventListener('move', update)
    return () => moved.removeEventListener('move', update)
  }, [])
  return path
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
  execution: it => `/program/${it.programId}/pipeline/${it.pipelineId}/execution/${it.id ?? it.executionId}`,
  start: pipeline => `/program/${pipeline.programId}/pipeline/${pipeline.id}/execution/new`
}
