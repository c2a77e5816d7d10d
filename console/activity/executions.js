// Reads the executions of a program page by page, and keeps those that it has read up to date.
import { useCallback, useEffect, useRef, useState } from '../core/view.js'
import { call } from '../core/api.js'
import { isEverything, useChanges } from '../core/live.js'

const PAGE = 100

/** Whether an id is older than another one: ids are numbers that grow. */
const isOlder = (a, b) => BigInt(a) < BigInt(b)

/** Puts what was read into the rows: `read` replaces what there is from `from` on for its length. */
function merge(rows, read) {
  const known = new Set(read.map(({ id }) => id))
  return [...rows.filter(({ id }) => !known.has(id)), ...read].sort((a, b) => isOlder(a.id, b.id) ? 1 : -1)
}

/**
 * Returns the rows so far, and `more`, which reads the next page.
 * @param {string} program
 * @param {string} status
 */
export function useExecutions(program, status) {
  const [state, setState] = useState(/** @type {any} */ ({}))
  const current = useRef({ key: '', rows: /** @type {any[]} */ ([]), busy: false, complete: false })
  const key = `${program} ${status}`
  const path = `/_emulator/program/${program}/executions?limit=${PAGE}${status && `&status=${status}`}`

  const read = useCallback(async (place, use) => {
    const { key: of } = current.current
    try {
      const { executions } = await call('GET', path + place)
      if (current.current.key !== of) return
      current.current.rows = use(executions)
      setState({ key: of, rows: current.current.rows })
    } catch (error) {
      if (current.current.key === of) setState(before => ({ ...before, key: of, error }))
    }
  }, [path])

  const restart = () => {
    current.current = { key, rows: [], busy: false, complete: false }
    return read('', found => {
      current.current.complete = found.length < PAGE
      return found
    })
  }

  const more = async () => {
    const { rows, busy, complete } = current.current
    if (busy || complete || !rows.length) return
    current.current.busy = true
    await read(`&before=${rows[rows.length - 1].id}`, found => {
      current.current.complete = found.length < PAGE
      return current.current.rows.concat(found)
    })
    current.current.busy = false
  }

  useEffect(() => { restart() }, [key])
  useChanges(change => {
    if (isEverything(change) || (change.type === 'pipeline' && change.programId === program) || (status && change.programId === program)) return restart()
    if (change.type !== 'execution' || change.programId !== program) return undefined
    const { rows } = current.current
    const later = rows.findLast(({ id }) => isOlder(change.executionId, id))
    // The page that begins with the execution; without a later one, the newest page.
    return read(later ? `&before=${later.id}` : '', found => merge(current.current.rows, rows.length ? found.slice(0, PAGE) : found))
  })
  return { rows: state.key === key ? state.rows : undefined, error: state.key === key ? state.error : undefined, more }
}
