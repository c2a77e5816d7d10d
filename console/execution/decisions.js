// What can be done with a step now.
import { go, paths } from '../core/routes.js'
import { isProductionDeploy, link } from '../core/steps.js'

const CSE = ['customerSuccessEngineer']
/** A managed step can be stopped by whoever answers other steps, too. */
const ANSWERERS = ['businessOwner', 'deploymentManager', 'programManager', ...CSE]
/** A Program Manager may cancel only what waits. */
const STOPPERS = ['businessOwner', 'deploymentManager']

/** Returns the actions of a step. */
export function decisionsOf(step, execution, explained) {
  const reasons = explained.find(it => it.stepId === step.stepId && it.phaseId === step.phaseId)
  if (step.status === 'WAITING') return waiting(step)
  return [running(step, reasons), ...reExecute(step, execution, reasons)]
}

function waiting(step) {
  const yes = (label, body, more) => ({ label, kind: 'accent', calls: [{ method: 'PUT', path: link(step, 'pipeline/advance'), body }], ...more })
  const no = (label, body, ask, more) => ({
    label, kind: 'negative', ask, calls: [{ method: 'PUT', path: link(step, 'pipeline/cancel'), body }], ...more
  })
  const ends = 'The execution is cancelled.'
  switch (step.action) {
    case 'approval': return [
      no('Reject', { approved: false }, ends),
      yes('Approve', { approved: true }, step.environmentType === 'prod' && { ask: 'The production deployment may go ahead.' })]
    case 'managed': return [
      no('Stop Execution', { start: false }, ends, { roles: ANSWERERS }),
      yes('Start managed deployment', { start: true }, { roles: CSE })]
    case 'deploy': return [
      no('Stop Execution', { resume: false }, 'The deployment stops where it is, and the execution is cancelled.'),
      yes('Resume', { resume: true })]
    default: return []
  }
}

function running(step, reasons) {
  if (step.status !== 'RUNNING') return undefined
  const path = link(step, 'pipeline/cancel')
  return {
    label: 'Cancel',
    kind: 'negative',
    ask: 'The step and its execution are cancelled.',
    reason: path ? undefined : `Cancel is not possible: ${reasons?.cancel.reason ?? 'the step does not allow it'}.`,
    roles: STOPPERS,
    calls: [{ method: 'PUT', path, body: { cancel: true } }]
  }
}

function reExecute(step, execution, reasons) {
  if (!isProductionDeploy(step)) return []
  const path = link(step, 'pipeline/reExecute')
  if (path) return [{ label: 'Re-execute', calls: [{ method: 'PUT', path }], done: next => go(paths.execution(next)) }]
  const reason = reasons?.reExecute.reason
  return execution.finishedAt && reason ? [{ note: `Re-execution is not possible: ${reason}.` }] : []
}
