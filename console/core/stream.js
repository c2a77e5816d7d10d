// The stream of changes. All pages of a browser share one, because a browser opens few connections
// to a host for all its pages: the page that holds a lock reads the stream, and tells the others.
import { store } from './store.js'

/**
 * @typedef {object} Change
 * @property {string} type
 * @property {string} [programId]
 * @property {string} [pipelineId]
 * @property {string} [executionId]
 * @property {string} [environmentId]
 */

const TYPES = 'execution,pipeline,program,environment,clock,request,delivery,webhook'
const NAME = 'cloudmanager-emulator changes'
const LONGEST_PAUSE = 2000

/** Whether the stream is open. */
export const connected = store(false)

/** Tells this page of changes, as events `change`. */
export const changes = new EventTarget()

const others = new BroadcastChannel(NAME)
/** @type {string | undefined} */
let lastId
/** @type {AbortController | undefined} */
let reading

/** @typedef {{ change?: Change, id?: string, open?: boolean, ask?: boolean }} Message */

/** @param {Message} message */
function take({ change, id, open }) {
  if (id) lastId = id
  if (open !== undefined) connected.set(open)
  if (change) changes.dispatchEvent(new CustomEvent('change', { detail: change }))
}

/** @param {Message} message */
function tell(message) {
  others.postMessage(message)
  take(message)
}

function readBlock(block) {
  const { id, event, data } = Object.fromEntries(block.split('\n').map(line => line.split(/:\s?(.*)/s).slice(0, 2)))
  if (id || event) tell({ id, change: event && { type: event, ...JSON.parse(data || '{}') } })
}

async function readStream(signal, resumes) {
  const headers = { 'x-emulator-console': '1', ...(lastId ? { 'last-event-id': lastId } : {}) }
  const answer = await fetch(`/_emulator/events?types=${TYPES}`, { headers, signal })
  if (!answer.ok || !answer.body) throw new Error(`The stream of changes answered with ${answer.status}.`)
  // Without an id to resume from, what changed before is not known; and after a failure, reads may have failed, too.
  tell({ open: true, change: resumes && lastId ? undefined : { type: 'missed' } })
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
  for (let rest = ''; ;) {
    const { value, done } = await reader.read()
    if (done) return
    const blocks = (rest + value).split('\n\n')
    rest = blocks.pop() ?? ''
    blocks.forEach(readBlock)
  }
}

async function keepReading(signal) {
  let resumes = true
  for (let pause = 100; !signal.aborted; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
    await readStream(signal, resumes).catch(() => {})
    if (signal.aborted) return
    if (connected.get()) pause = 100
    resumes = false
    tell({ open: false })
    await new Promise(resolve => setTimeout(resolve, pause))
  }
}

/** Reads the stream while this page is the one that does. */
function begin() {
  const { signal } = reading = new AbortController()
  // Browsers have locks only where the host is this machine, or the connection is safe.
  if (!navigator.locks) keepReading(signal)
  else navigator.locks.request(NAME, { signal }, () => keepReading(signal)).catch(() => {})
}

/** Follows the changes. A hidden page leaves the stream to others; the next one resumes where it ended. */
export function follow() {
  others.onmessage = ({ data }) => {
    if (!data.ask) take(data)
    else if (connected.get()) others.postMessage({ open: true, id: lastId })
  }
  others.postMessage({ ask: true })
  const update = () => {
    if (document.hidden) {
      reading?.abort()
      reading = undefined
    } else if (!reading) {
      begin()
    }
  }
  document.addEventListener('visibilitychange', update)
  update()
}
