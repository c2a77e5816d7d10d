// Values that several parts of the page share.
import { useEffect, useState } from './view.js'

/**
 * Holds a value. `use()` returns it in a component, which renders again when it changes.
 * @template T
 * @param {T} value
 */
export function store(value) {
  const listeners = new Set()
  const get = () => value
  /** @param {T} next */
  const set = next => {
    if (Object.is(next, value)) return
    value = next
    for (const listener of [...listeners]) listener()
  }
  const use = () => {
    const [, rerender] = useState({})
    useEffect(() => {
      const listener = () => rerender({})
      listeners.add(listener)
      return () => { listeners.delete(listener) }
    }, [])
    return value
  }
  return { get, set, use }
}

/**
 * Holds a text that the browser remembers.
 * @param {string} name
 * @param {string} initial
 */
export function remembered(name, initial) {
  const kept = store(localStorage.getItem(name) ?? initial)
  return { ...kept, set: (/** @type {string} */ next) => { localStorage.setItem(name, next); kept.set(next) } }
}
