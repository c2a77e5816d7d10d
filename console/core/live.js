// Keeps what pages show up to date: reads again what has changed.
import { useCallback, useEffect, useRef, useState } from './view.js'
import { forget } from './api.js'
import { session } from './session.js'
import { changes } from './stream.js'

/** @typedef {import('./stream.js').Change} Change */

// The state may be another one after this.
changes.addEventListener('change', event => { if (isEverything(/** @type {CustomEvent} */ (event).detail)) forget() })

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
