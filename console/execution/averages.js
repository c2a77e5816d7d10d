// How long steps usually take.
import { parse } from '../core/time.js'

/** Returns what names a step in all executions of a pipeline. */
export const keyOf = ({ phaseId, stepId }) => `${phaseId}/${stepId}`

/**
 * Returns the average duration of each step that has finished, in milliseconds.
 * @returns {Map<string, number>}
 */
export function averages(executions) {
  const durations = new Map()
  for (const step of executions.flatMap(it => it._embedded.stepStates)) {
    if (step.status !== 'FINISHED' || !step.startedAt) continue
    const key = keyOf(step)
    durations.set(key, [...(durations.get(key) ?? []), parse(step.finishedAt) - parse(step.startedAt)])
  }
  return new Map([...durations].map(([key, all]) => [key, all.reduce((sum, it) => sum + it, 0) / all.length]))
}
