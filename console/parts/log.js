// The viewer of log files: it follows, searches, links lines and jumps to the failure.
import { html, useEffect, useRef, useState } from '../core/view.js'
import { call, fileOf, save } from '../core/api.js'
import { copy } from './actions.js'
import { Dialog, Failure } from './basics.js'
import { Windowed } from './windowed.js'

const LINE = 20
const FAILURE = /BUILD FAILURE|\bERROR\b|\bFAILED\b|\bfailed\b/
const BETWEEN = 1000

/** Reads a file, and while `active` what is added to it. A growing file has no event, so it is read by its range. */
function useLog(path, plain, active) {
  const [state, setState] = useState(/** @type {any} */ ({ text: '' }))
  useEffect(() => {
    let timer
    let stopped = false
    let size = 0
    const read = async () => {
      const file = plain ? new URL(path, location.href) : await fileOf(path)
      const address = typeof file === 'string' ? file : file.pathname + file.search
      const answer = await call('GET', address, undefined, { raw: true, headers: size ? { range: `bytes=${size}-` } : {} })
      const bytes = await answer.arrayBuffer()
      const added = answer.status === 206
      size = added ? size + bytes.byteLength : bytes.byteLength
      const text = new TextDecoder().decode(bytes)
      if (!stopped) setState(before => ({ text: added ? before.text + text : text }))
    }
    // The status 416 says that nothing was added.
    const repeat = () => read().catch(error => {
      if (!stopped && error.status !== 416) setState(before => ({ ...before, error }))
    }).finally(() => { if (active && !stopped) timer = setTimeout(repeat, BETWEEN) })
    repeat()
    return () => {
      stopped = true
      clearTimeout(timer)
    }
  }, [path, active])
  return state
}

/** Shows control characters, so that escape sequences are text. */
const visible = line => line.replace(/[\x00-\x08\x0b-\x1f\x7f]/g, it => String.fromCharCode(it === '\x7f' ? 0x2421 : 0x2400 + it.charCodeAt(0)))

/** A log in a dialog. */
export const LogDialog = ({ title, close, ...log }) => html`<${Dialog} title=${title} close=${close} wide><${Log} ...${log} /></${Dialog}>`

/** A log. `active` says whether it still grows; a `plain` path is that of the file itself. */
export function Log({ path, name, active, plain, close }) {
  const { text, error } = useLog(path, plain, active)
  const [search, setSearch] = useState('')
  const [atEnd, setAtEnd] = useState(true)
  const [marked, setMarked] = useState(Number(location.hash.match(/^#L(\d+)$/)?.[1]))
  const view = useRef(/** @type {any} */ (null))
  const lines = text.replace(/\n$/, '').split('\n')
  const wanted = search.toLowerCase()
  const shown = lines.map((line, index) => ({ line, number: index + 1 })).filter(({ line }) => line.toLowerCase().includes(wanted))
  const failure = lines.findIndex(line => FAILURE.test(line)) + 1
  const jump = number => {
    setSearch('')
    setMarked(number)
    setTimeout(() => view.current.show(number - 1))
  }
  useEffect(() => { if (text && marked) jump(marked) }, [Boolean(text)])
  useEffect(() => () => history.replaceState(null, '', location.pathname + location.search), [])
  const mark = number => event => {
    event.preventDefault()
    history.replaceState(null, '', `#L${number}`)
    setMarked(number)
    copy(location.href)
  }
  const row = index => {
    const { line, number } = shown[index]
    return html`
      <div key=${number} class="line" data-failure=${FAILURE.test(line)} data-marked=${number === marked}>
        <a href=${`#L${number}`} aria-label=${`Line ${number}`} tabindex="-1" onClick=${mark(number)}>${number}</a>
        <span>${visible(line)}</span>
      </div>`
  }
  return html`
    <div class="viewer">
      <div class="actions">
        <input type="search" aria-label="Search in the log" placeholder="Search" value=${search} onInput=${event => setSearch(event.target.value)} />
        ${failure > 0 && html`<button type="button" onClick=${() => jump(failure)}>Jump to the failure</button>`}
        ${!plain && html`<button type="button" onClick=${() => save(path, name)}>Save</button>`}
        ${close && html`<button type="button" onClick=${close}>Close log</button>`}
        <span class="quiet">${shown.length} of ${lines.length} lines${active ? atEnd ? ', following' : ', scroll down to follow' : ''}</span>
      </div>
      <${Failure} error=${error} />
      <${Windowed} class="log" role="log" aria-live="off" aria-label="Lines of the log" count=${shown.length} height=${LINE} row=${row} view=${view}
        follow=${active && atEnd && !marked} moved=${setAtEnd} />
    </div>`
}
