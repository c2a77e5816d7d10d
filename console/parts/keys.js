// The keys, and the help that lists them.
import { html, useEffect } from '../core/view.js'
import { go, paths } from '../core/routes.js'
import { store } from '../core/store.js'
import { Dialog, Facts } from './basics.js'

const help = store(false)
const PAGES = { o: 'overview', a: 'activity', p: 'pipelines', r: 'repositories', e: 'environments' }
const WAIT = 1000

/** Shows the help. */
export const openHelp = () => help.set(true)

const isTyping = ({ target }) => target.matches?.('input, select, textarea') || target.closest?.('dialog')

/** Listens to the keys. */
export function Keys({ program }) {
  useEffect(() => {
    let goAt = 0
    const press = event => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return
      const search = /** @type {HTMLElement | null} */ (document.querySelector('[data-search]'))
      if (event.key === '?') openHelp()
      else if (event.key === '/' && search) search.focus()
      else if (Date.now() - goAt < WAIT && event.key === 'm') go('/emulator')
      else if (Date.now() - goAt < WAIT && PAGES[event.key] && program) go(paths.page(program, PAGES[event.key]))
      else {
        goAt = event.key === 'g' ? Date.now() : 0
        return
      }
      event.preventDefault()
    }
    document.addEventListener('keydown', press)
    return () => document.removeEventListener('keydown', press)
  }, [program])
  return help.use() && html`<${Help} />`
}

const Key = ({ of }) => of.split(' ').map(key => html`<kbd key=${key}>${key}</kbd> `)

const Help = () => html`
  <${Dialog} title="Keys" close=${() => help.set(false)}>
    <${Facts} of=${[
      [html`<${Key} of="?" />`, 'This help'],
      [html`<${Key} of="/" />`, 'To the search field'],
      ...Object.entries(PAGES).map(([key, page]) => [html`<${Key} of=${`g ${key}`} />`, `To the page ${page[0].toUpperCase()}${page.slice(1)}`]),
      [html`<${Key} of="g m" />`, 'To the page Emulator'],
      [html`<${Key} of="Tab" />`, 'To the next control'],
      [html`<${Key} of="Esc" />`, 'Closes a dialog']
    ]} />
  </${Dialog}>`
