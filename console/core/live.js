// Keeps pages up to date: the stream of changes, and reading again what has changed.
import { useCallback, useEffect, useRef, useState } from './view.js'
import { forget } from './api.js'
import { session } from './session.js'
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
const LONGEST_PAUSE = 2000

/** Whether the stream is open. */
export const connected = store(false)

const changes = new EventTarget()
/** @type {string | undefined} */
let lastId
/** @type {AbortController | undefined} */
let stream

/** @param {Change} change */
function publish(change) {
  if (change.type === 'reset') forget()
  changes.dispatchEvent(new CustomEvent('change', { detail: change }))
}

function readBlock(block) {
  const fields = Object.fromEntries(block.split('\n').map(line => line.split(/:\s?(.*)/s).slice(0, 2)))
  if (fields.id) lastId = fields.id
  if (fields.event) publish({ type: fields.event, ...JSON.parse(fields.data || '{}') })
}

async function readStream(signal) {
  const headers = { 'x-emulator-console': '1', ...(lastId ? { 'last-event-id': lastId } : {}) }
  const answer = await fetch(`/_emulator/events?types=${TYPES}`, { headers, signal })
  if (!answer.ok || !answer.body) throw new Error(`The stream of changes answered with ${answer.status}.`)
  connected.set(true)
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
  for (let pause = 100; !signal.aborted; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
    await readStream(signal).catch(() => {})
    if (signal.aborted) return
    if (connected.get()) pause = 100
    connected.set(false)
    await new Promise(resolve => setTimeout(resolve, pause))
  }
}

/** Follows the stream while the page is visible: a browser has few connections for all its pages. */
export function follow() {
  const update = () => {
    if (document.hidden) {
      stream?.abort()
      stream = undefined
    } else if (!stream) {
      stream = new AbortController()
      keepReading(stream.signal)
    }
  }
  document.addEventListener('visibilitychange', update)
  update()
}

/** Calls a function for each change; it may be another one with each rendering. */
export function useChanges(listener) {
  const latest = useRef(listener)
  latest.current = listener
  useEffect(() => {
    const listen = event => latest.current(event.detail)
    changes.addEventListener('change', listen)
    return () => changes.removeEventListener('change', listen)
  }, [])
}

/** Whether a change means that anything may have changed. */
export const isEverything = ({ type }) => type === 'reset' || type === 'missed'

/** Returns a filter for changes in a program; without an id they concern all programs. */
export const inProgram = program => change => 'programId' in change && (!program || change.programId === program)

/**
 * Reads something, and reads it again after each change that concerns it. At most one read is under
 * way; changes meanwhile cause one more. `key` says what is read: data of another key is not shown.
 * @template T
 * @param {string} key
 * @param {() => Promise<T>} load
 * @param {(change: Change) => boolean} [concerns]
 * @returns {{ data: T | undefined, error: any, again: () => Promise<void> }}
 */
export function useRead(key, load, concerns = () => false) {
  const caller = session.use()?.apiKey ?? ''
  const whole = `${caller} ${key}`
  const [result, setResult] = useState(/** @type {any} */ ({}))
  const state = useRef({ key: whole, busy: false, due: false, load })
  state.current.load = load
  const again = useCallback(async () => {
    const current = state.current
    current.due = true
    if (current.busy) return
    current.busy = true
    while (current.due) {
      current.due = false
      const of = current.key
      const found = await current.load().then(data => ({ data, error: undefined }), error => ({ error }))
      // An error does not hide what was read before.
      if (of === current.key) setResult(before => ({ ...(before.key === of ? before : {}), key: of, ...found }))
    }
    current.busy = false
  }, [])
  useEffect(() => {
    state.current.key = whole
    again()
  }, [whole])
  useChanges(change => { if (isEverything(change) || concerns(change)) again() })
  const current = result.key === whole ? result : {}
  return { data: current.data, error: current.error, again }
}
