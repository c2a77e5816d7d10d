// The viewer of log files: it follows, searches, and links lines.
import { html, useEffect, useRef, useState } from '../view.js'
import { call, fileOf } from '../api.js'
import { Dialog, Failure } from './basics.js'

/** How many lines are shown at once. */
const SHOWN = 2000
const FAILURE = /BUILD FAILURE|\bERROR\b|\bFAILED\b|\bfailed\b/

/** Reads a log file and, while `active`, what is added to it. */
function useLog(path, active) {
  const [state, setState] = useState({ text: '' })
  useEffect(() => {
    let timer
    let stopped = false
    let size = 0
    const read = async () => {
      const file = await fileOf(path)
      const answer = await call('GET', file, undefined, { raw: true, headers: size ? { range: `bytes=${size}-` } : {} })
      const bytes = await answer.arrayBuffer()
      size = answer.status === 206 ? size + bytes.byteLength : bytes.byteLength
      const text = new TextDecoder().decode(bytes)
      if (!stopped) setState(before => ({ text: answer.status === 206 ? before.text + text : text }))
    }
    const repeat = () => read().catch(error => {
      // There is nothing after the end yet.
      if (!stopped && error.status !== 416) setState(before => ({ ...before, error }))
    }).finally(() => { if (active && !stopped) timer = setTimeout(repeat, 1000) })
    repeat()
    return () => { stopped = true; clearTimeout(timer) }
  }, [path, active])
  return state
}

/** Saves a file that a call redirects to. */
export async function download(path, name) {
  const answer = await call('GET', await fileOf(path), undefined, { raw: true })
  const address = URL.createObjectURL(await answer.blob())
  const anchor = Object.assign(document.createElement('a'), { href: address, download: name })
  anchor.click()
  setTimeout(() => URL.revokeObjectURL(address), 1000)
}

/** A log in a dialog. `active` says whether it still grows. */
export function LogDialog({ title, path, name, active, close }) {
  const { text, error } = useLog(path, active)
  const [search, setSearch] = useState('')
  const [following, setFollowing] = useState(true)
  const view = useRef()
  const lines = text.replace(/\n$/, '').split('\n')
  const wanted = search.toLowerCase()
  const found = lines.map((line, index) => ({ line, number: index + 1 })).filter(({ line }) => !wanted || line.toLowerCase().includes(wanted))
  const shown = found.slice(-SHOWN)
  useEffect(() => {
    const marked = location.hash.match(/^#L(\d+)$/)?.[1]
    const line = marked && view.current.querySelector(`[data-line="${marked}"]`)
    if (line) line.scrollIntoView({ block: 'center' })
    else if (following && active) view.current.scrollTop = view.current.scrollHeight
  }, [text])
  const jump = () => view.current.querySelector('.bad')?.scrollIntoView({ block: 'center' })
  const scrolled = ({ target }) => setFollowing(target.scrollTop + target.clientHeight > target.scrollHeight - 20)
  return html`<${Dialog} title=${title} close=${close} wide>
    <div class="row">
      <input type="search" aria-label="Search in the log" placeholder="Search" value=${search} onInput=${event => setSearch(event.target.value)} />
      <span class="quiet">${found.length} of ${lines.length} lines${active ? (following ? ', following' : ', scroll down to follow') : ''}</span>
      ${FAILURE.test(text) && html`<button type="button" onClick=${jump}>Jump to the failure</button>`}
      <button type="button" onClick=${() => download(path, name)}>Save</button>
    </div>
    <${Failure} error=${error} />
    ${found.length > shown.length && html`<p class="quiet">These are the last ${SHOWN} lines. Search to find others, or save the file.</p>`}
    <div class="log" ref=${view} tabindex="0" role="log" aria-live="off" aria-label="Lines of the log" onScroll=${scrolled}>
      ${shown.map(({ line, number }) => html`<div key=${number} data-line=${number} class=${FAILURE.test(line) ? 'bad' : ''}>
        <a href=${`#L${number}`} aria-label=${`Line ${number}`}>${number}</a><span>${line}</span></div>`)}
    </div>
  </${Dialog}>`
}
