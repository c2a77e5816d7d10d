// Starts the console.
import { html, render } from './core/view.js'
import { follow } from './core/stream.js'
import { Shell } from './parts/shell.js'

follow()
render(html`<${Shell} />`, /** @type {HTMLElement} */ (document.getElementById('app')))
