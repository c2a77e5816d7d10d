// Keeps pages up to date: the stream of changes, and reading again what has changed.
import { useCallback, useEffect, useRef, useState } from './view.js'
import { forget } from './api.js'

/** Sends `change` with the event of the stream, and `state` when the connection changes. */
export const changes = new EventTarget()

/** Whether the stream is open. */
export const connection = { open: false }

let lastId
let stream

function setOpen(open) {
  if (connection.open === open) return
  connection.open = open
  changes.dispatchEvent(new Event('state'))
}

function publish(block) {
  const fields = Object.fromEntries(block.split('\n').map(line => line.split(/:\s?(.*)/s).slice(0, 2)))
  if (fields.id) lastId = fields.id
  if (!fields.event) return
  if (fields.event === 'reset') forget()
  const detail = { type: fields.event, ...JSON.parse(fields.data || '{}') }
  changes.dispatchEvent(new CustomEvent('change', { detail }))
}

async function read(signal) {
  const headers = { 'x-emulator-console': '1', ...(lastId ? { 'last-event-id': lastId } : {}) }
  const types = 'execution,pipeline,program,environment,clock,request,delivery,reset'
  const answer = await fetch(`/_emulator/events?types=${types}`, { headers, signal })
  if (!answer.ok) throw new Error(`The stream of changes answered with ${answer.status}.`)
  setOpen(true)
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
  for (let rest = ''; ;) {
    const { value, done } = await reader.read()
    if (done) return
    const blocks = (rest + value).split('\n\n')
    rest = blocks.pop()
    blocks.forEach(publish)
  }
}

async function keepReading(signal) {
  while (!signal.aborted) {
    await read(signal).catch(() => {})
    if (signal.aborted) return
    setOpen(false)
    await new Promise(resolve => setTimeout(resolve, 500))
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

/** Calls a function for each change; it may change from one rendering to the next. */
export function useChanges(listener) {
  const latest = useRef(listener)
  latest.current = listener
  useEffect(() => {
    const listen = event => latest.current(event.detail)
    changes.addEventListener('change', listen)
    return () => changes.removeEventListener('change', listen)
  }, [])
}

/**
 * Reads something, and reads it again after each change that concerns it. Returns
 * `{ data, error, again }`. At most one reading is under way; changes meanwhile cause one more.
 */
export function useRead(key, load, concerns = () => true) {
  const [result, setResult] = useState({})
  const state = useRef({ key: undefined, busy: false, due: false })
  const latest = useRef(load)
  latest.current = load
  const again = useCallback(async () => {
    const current = state.current
    current.due = true
    if (current.busy) return
    current.busy = true
    while (current.due) {
      current.due = false
      const of = current.key
      const found = await latest.current().then(data => ({ data }), error => ({ error }))
      if (of === current.key) setResult(before => ({ key: of, ...(found.error ? { data: before.key === of ? before.data : undefined } : {}), ...found }))
    }
    current.busy = false
  }, [])
  useEffect(() => {
    state.current.key = key
    again()
  }, [key])
  useChanges(change => {
    if (change.type === 'reset' || change.type === 'missed' || concerns(change)) again()
  })
  return { data: result.key === key ? result.data : undefined, error: result.key === key ? result.error : undefined, again }
}
