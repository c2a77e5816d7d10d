// Buttons that call the emulator, and the same calls as commands for a shell.
import { html, useRef, useState } from '../core/view.js'
import { asAio, asCurl, call } from '../core/api.js'
import { useRead } from '../core/live.js'
import { refusal, session } from '../core/session.js'
import { announce } from './announce.js'
import { Dialog, Failure } from './basics.js'

/**
 * @typedef {object} Action
 * @property {string} label
 * @property {{ method: string, path: string, body?: any }[]} calls  made one after the other
 * @property {string} [ask]  what will happen, where the button asks before it acts
 * @property {string} [reason]  why it is not possible now
 * @property {string} [kind]  `accent` or `negative`
 * @property {string[]} [roles]  who may, where that depends on more than the call
 * @property {(answer: any) => void} [done]
 * @property {() => void} [open]  what a click does in place of the calls
 */

/** The buttons of some actions, and one that shows them as commands. Absent actions are left out; a `{ note }` says why one is. */
export function Actions({ list, children }) {
  session.use()
  const [showing, setShowing] = useState(false)
  const present = list.filter(Boolean)
  const actions = present.filter(it => it.label).map(action => ({ ...action, reason: action.reason ?? reasonFor(action) }))
  const possible = actions.filter(it => !it.reason)
  const reasons = [...new Set([...actions.map(it => it.reason), ...present.map(it => it.note)].filter(Boolean))]
  return html`
    <div class="actions">
      ${children}
      ${actions.map(action => html`<${ActionButton} key=${action.label} ...${action} />`)}
      ${possible.length > 0 && html`
        <button type="button" class="quiet-button code" aria-label="Copy as curl" title="Copy as curl or aio command"
          onClick=${() => setShowing(true)}>${'</>'}</button>`}
      ${reasons.map(reason => html`<small class="quiet reason" key=${reason}>${reason}</small>`)}
      ${showing && html`<${Commands} actions=${possible} close=${() => setShowing(false)} />`}
    </div>`
}

const reasonFor = ({ calls, roles }) => calls.map(it => refusal(it, roles)).find(Boolean)

/** @param {Action} action */
function ActionButton({ label, calls, ask, reason, kind = '', done, open }) {
  const [state, setState] = useState(/** @type {any} */ ({}))
  const element = useRef(/** @type {any} */ (null))
  const act = async () => {
    // The button may be gone afterwards; the keyboard then goes on from what it was in.
    const around = element.current?.closest('[tabindex="-1"]')
    setState({ busy: true })
    try {
      let answer
      for (const { method, path, body } of calls) answer = await call(method, path, body)
      setState({})
      done?.(answer)
      setTimeout(() => { if (!element.current && document.activeElement === document.body) around?.focus() }, 300)
    } catch (error) {
      setState({ error })
    }
  }
  const click = open ?? (ask ? () => setState({ asking: true }) : act)
  return html`
    <button type="button" ref=${element} class=${kind} disabled=${Boolean(reason) || state.busy} title=${reason} onClick=${click}>${label}</button>
    <${Failure} error=${state.error} />
    ${state.asking && html`
      <${Dialog} title=${`${label}?`} close=${() => setState({})}>
        <p>${ask}</p>
        <footer>
          <button type="button" onClick=${() => setState({})}>Back</button>
          <button type="button" class=${confirming(kind)} onClick=${act}>${label}</button>
        </footer>
      </${Dialog}>`}`
}

/** A question about what a button does has that button in its own colour. */
const confirming = kind => kind === 'quiet-button' ? 'negative' : kind || 'accent'

/** Copies a text, and says so. */
export function copy(text) {
  navigator.clipboard.writeText(text).then(() => announce('Copied.'), () => announce('The browser does not allow copying here.'))
}

function Commands({ actions, close }) {
  const { data } = useRead(JSON.stringify(actions.map(it => it.calls)), () => Promise.all(actions.map(async ({ label, calls }) => ({
    label,
    curl: (await Promise.all(calls.map(asCurl))).join('\n'),
    aio: calls.map(asAio).every(Boolean) ? calls.map(asAio).join('\n') : undefined
  }))))
  return html`
    <${Dialog} title="Commands" close=${close} wide>
      <p class="quiet">The same calls for a shell.</p>
      ${data?.map(({ label, curl, aio }) => html`
        <section key=${label} aria-label=${label}>
          <h3>${label}</h3>
          <${Command} text=${curl} label="Copy as curl" />
          ${aio && html`<${Command} text=${aio} label="Copy aio command" />`}
        </section>`)}
    </${Dialog}>`
}

const Command = ({ text, label }) => html`
  <div class="command">
    <pre tabindex="0">${text}</pre>
    <button type="button" onClick=${() => copy(text)}>${label}</button>
  </div>`
