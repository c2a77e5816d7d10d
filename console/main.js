import { html, render } from './view.js'
import { Shell } from './parts/shell.js'
import { follow } from './live.js'

follow()
render(html`<${Shell} />`, document.getElementById('app'))
