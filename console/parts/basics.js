// Small parts that all pages use.
import { html, useEffect, useRef } from '../core/view.js'
import { parse, timeStyle, useNow, writeDuration, writeLocal, writeTime, writeUtc, ZONE } from '../core/time.js'

/** A time of the API; the exact value, local and in UTC, shows on hover. */
export function Time({ at }) {
  const style = timeStyle.use()
  useNow(style === 'relative')
  if (!at) return html`<span>-</span>`
  const time = parse(at)
  const iso = new Date(time).toISOString()
  const title = `${iso}\n${writeUtc(time)}\n${writeLocal(time)} (${ZONE})\nEmulated time`
  return html`<time datetime=${iso} title=${title}>${writeTime(time, style)}</time>`
}

/** How long something took, or takes so far. */
export function Duration({ from, to }) {
  const now = useNow(!to)
  return html`<span>${writeDuration((to ? parse(to) : now) - parse(from))}</span>`
}

/** What went wrong, in the server's words. */
export const Failure = ({ error }) => error ? html`<p class="alert" data-tone="negative" role="alert">${error.message}</p>` : null

/** What a page shows while it has no data. */
export const Missing = ({ error }) => error ? html`<${Failure} error=${error} />` : html`<p class="quiet" aria-busy="true">Loading…</p>`

/** What a page says where there is nothing to show, and what to do about it. */
export const Empty = ({ title, children }) => html`<div class="empty"><h2>${title}</h2><p>${children}</p></div>`

/** The heading of a page, with controls at its right. */
export const Heading = ({ children, aside }) => html`<div class="heading"><h1>${children}</h1>${aside}</div>`

/** A table that scrolls sideways where it is too wide. */
export const Table = ({ label, columns, children }) => html`
  <div class="scroll" tabindex="0" role="group" aria-label=${label}>
    <table>
      <thead><tr>${columns.map(name => html`<th scope="col" key=${name}><span class=${name === 'Select' ? 'hidden' : ''}>${name}</span></th>`)}</tr></thead>
      <tbody>${children}</tbody>
    </table>
  </div>`

/** A labelled form field. */
export const Field = ({ label, hint, wide, children }) => html`
  <div class=${wide ? 'field wide' : 'field'}>
    <label><span>${label}</span>${children}</label>
    ${hint && html`<small class="quiet">${hint}</small>`}
  </div>`

/** A field that chooses one of some values: `[value, text]`. Its name is the label alone, without the values. */
export const Picker = ({ label, value, options, change, hidden }) => html`
  <label class=${hidden ? '' : 'field'}>
    ${!hidden && html`<span>${label}</span>`}
    <select aria-label=${label} value=${value} onChange=${event => change(event.target.value)}>
      ${options.map(([it, text]) => html`<option key=${it} value=${it} selected=${it === value}>${text}</option>`)}
    </select>
  </label>`

/** A field that filters what is shown, while the user types or, with `whole`, after that. "/" moves the focus to it. */
export const SearchField = ({ label, value, change, placeholder, whole }) => html`
  <${Field} label=${label}>
    <input type="search" data-search value=${value} placeholder=${placeholder}
      ...${{ [whole ? 'onChange' : 'onInput']: event => change(event.target.value) }} />
  </${Field}>`

/** Facts as names and values; absent values are left out. */
export const Facts = ({ of }) => html`
  <dl class="facts">
    ${of.filter(([, value]) => value !== undefined && value !== '').map(([name, value]) => html`
      <div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}
  </dl>`

/** A bounded part of a page with its heading. */
export const Panel = ({ title, aside, children }) => html`
  <section class="panel" aria-label=${title}>
    <header><h2>${title}</h2>${aside}</header>
    ${children}
  </section>`

/** A dialog over the page. Escape closes it, and the focus returns to where it was. */
export function Dialog({ title, close, wide, children }) {
  const element = useRef(/** @type {any} */ (null))
  useEffect(() => {
    const before = /** @type {HTMLElement | null} */ (document.activeElement)
    element.current.showModal()
    return () => before?.focus?.()
  }, [])
  const cancel = event => {
    event.preventDefault()
    close()
  }
  const outside = event => { if (event.target === element.current) close() }
  return html`
    <dialog ref=${element} class=${wide ? 'wide' : ''} aria-label=${title} onCancel=${cancel} onClick=${outside}>
      <div class="dialog">
        <header><h2>${title}</h2><button type="button" class="quiet-button" aria-label="Close" onClick=${close}>✕</button></header>
        ${children}
      </div>
    </dialog>`
}
