// Small parts that all pages use.
import { html, useEffect, useRef, useState } from '../view.js'
import { asCurl, call } from '../api.js'
import { parse, style, useTick, write } from '../time.js'

const LABELS = {
  NOT_STARTED: 'Not started', RUNNING: 'In progress', WAITING: 'Waiting', FINISHED: 'Finished', FAILED: 'Failed',
  ERROR: 'Error', CANCELLED: 'Cancelled', CANCELLING: 'Cancelling', ROLLED_BACK: 'Rolled back', ROLLING_BACK: 'Rolling back', INCOMPLETE: 'Incomplete'
}

/** The status of an execution or a step. */
export const Status = ({ of }) => html`<span class="badge" data-status=${of}>${LABELS[of] ?? of}</span>`

/** A time of the API; its exact value shows on hover. */
export function Time({ at }) {
  useTick(style.name === 'relative')
  if (!at) return html`<span>-</span>`
  const iso = new Date(parse(at)).toISOString()
  return html`<time datetime=${iso} title=${`${iso} (emulated time)`}>${write(at)}</time>`
}

/** What went wrong, in the server's words. */
export const Failure = ({ error }) => error ? html`<p class="failure" role="alert">${error.message}</p>` : null

/** What a page shows while it has no data. */
export const Missing = ({ error }) => error ? html`<${Failure} error=${error} />` : html`<p class="quiet" aria-busy="true">Loading…</p>`

/** Shows a short message that disappears. */
export function announce(text) {
  document.dispatchEvent(new CustomEvent('announce', { detail: text }))
}

/**
 * A button that makes calls, one after the other. With `ask`, it asks once before it does. While
 * it is impossible, `reason` says why. Beside it is "Copy as curl".
 */
export function Action({ label, calls, done, reason, ask, kind = '', onFailure, ...rest }) {
  const [state, setState] = useState({})
  const act = async () => {
    setState({ busy: true })
    try {
      let answer
      for (const { method, path, body } of calls) answer = await call(method, path, body)
      setState({})
      done?.(answer)
    } catch (error) {
      setState({ error })
      onFailure?.(error)
    }
  }
  const click = () => ask ? setState({ asking: true }) : act()
  const copy = async () => {
    const commands = await Promise.all(calls.map(asCurl))
    await navigator.clipboard.writeText(commands.join('\n')).then(() => announce('Copied.'), () => announce('The browser does not allow copying here.'))
  }
  return html`<span class="action">
    <button type="button" class=${kind} disabled=${Boolean(reason) || state.busy} title=${reason ?? ''} onClick=${click} ...${rest}>${label}</button>
    ${!reason && html`<button type="button" class="icon" title=${`${label}: copy as curl`} aria-label="Copy as curl" onClick=${copy}>curl</button>`}
    ${reason && html`<small class="quiet">${reason}</small>`}
    ${state.error && html`<${Failure} error=${state.error} />`}
    ${state.asking && html`<${Dialog} title=${`${label}?`} close=${() => setState({})}>
      <p>${ask}</p>
      <footer><button type="button" onClick=${() => setState({})}>Back</button>
      <button type="button" class=${kind || 'primary'} onClick=${act}>${label}</button></footer>
    </${Dialog}>`}
  </span>`
}

/** A dialog over the page; Escape closes it, and the focus returns to where it was. */
export function Dialog({ title, close, wide, children }) {
  const element = useRef()
  useEffect(() => {
    const before = document.activeElement
    element.current.showModal()
    return () => before?.focus?.()
  }, [])
  const cancel = event => { event.preventDefault(); close() }
  return html`<dialog ref=${element} class=${wide ? 'wide' : ''} aria-label=${title} onCancel=${cancel}>
    <header><h2>${title}</h2><button type="button" class="icon" aria-label="Close" onClick=${close}>✕</button></header>
    ${children}
  </dialog>`
}

/** A table that scrolls sideways where it is too wide. */
export const Table = ({ label, columns, children }) => html`<div class="scroll" tabindex="0" role="group" aria-label=${label}><table>
  <thead><tr>${columns.map(name => html`<th scope="col">${name}</th>`)}</tr></thead>
  <tbody>${children}</tbody></table></div>`

/** A labelled form field. */
export const Field = ({ label, children, hint }) => html`<label class="field"><span>${label}</span>${children}${hint && html`<small class="quiet">${hint}</small>`}</label>`
