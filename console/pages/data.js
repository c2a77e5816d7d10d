// Reads that several pages need.
import { call, find } from '../api.js'

/** Lists the pipelines of a program. */
export const readPipelines = async program => (await call('GET', `/api/program/${program}/pipelines`))._embedded.pipelines

/** Returns the current executions of pipelines. */
export const running = async pipelines => (await Promise.all(pipelines.filter(it => it.status === 'BUSY').map(it => find(`/api/program/${it.programId}/pipeline/${it.id}/execution`)))).filter(Boolean)
