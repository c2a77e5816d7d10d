// Reads that several pages need.
import { call, find, list } from './api.js'
import { inProgram, useRead } from './live.js'

/** Lists the pipelines of a program. */
export const readPipelines = program => list(`/api/program/${program}/pipelines`, 'pipelines')

/** Lists the environments of a program. */
export const readEnvironments = program => list(`/api/program/${program}/environments`, 'environments')

/** Lists the repositories of a program. */
export const readRepositories = program => list(`/api/program/${program}/repositories`, 'repositories')

/** Returns the current executions of pipelines. */
export async function readCurrent(pipelines) {
  const busy = pipelines.filter(it => it.status === 'BUSY')
  const found = await Promise.all(busy.map(it => find(`/api/program/${it.programId}/pipeline/${it.id}/execution`)))
  return found.filter(Boolean)
}

/** Reads what Customer Success Engineers set for a program. */
export const useSettings = program =>
  useRead(`settings ${program}`, () => call('GET', `/_emulator/program/${program}`), inProgram(program)).data
