// Reads executions, their step states and logs.

import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import cloudManager from '@adobe/aio-lib-cloudmanager'

export const { getCurrentStep, getWaitingStep } = cloudManager

/** The steps in order, each as its name and status: `deploy stage FINISHED`. */
export const stepStatuses = execution =>
  execution._embedded.stepStates.map(step => `${stepName(step)} ${step.status}`)

/** The one step of that name, `deploy prod` for instance. */
export function findStep (execution, name) {
  const found = execution._embedded.stepStates.filter(step => stepName(step) === name)
  assert.equal(found.length, 1, `${name} among ${stepStatuses(execution).join(', ')}`)
  return found[0]
}

/** Only deployments and approvals can be in an execution more than once. */
export const stepName = ({ action, environmentType }) =>
  ['deploy', 'approval'].includes(action) ? `${action} ${environmentType}` : action

/** Where a link of Cloud Manager's own kind leads, if it is there. */
export const findHref = (resource, rel) =>
  resource._links[`http://ns.adobe.com/adobecloud/rel/${rel}`]?.href

/** The log of a step as the SDK writes it to a stream; `file` is another log file of the step. */
export async function readStepLog (sdk, programId, pipelineId, executionId, action, file) {
  const output = new PassThrough()
  const [log] = await Promise.all([
    text(output),
    sdk.getExecutionStepLog(programId, pipelineId, executionId, action, file, output),
  ])
  return log
}

/** Checks that no execution of the pipeline is running or waiting. */
export const assertNothingRuns = ({ sdk, url }, programId, pipelineId) =>
  assert.rejects(sdk.getCurrentExecution(programId, pipelineId), {
    code: 'ERROR_GET_EXECUTION',
    message: '[CloudManagerSDK:ERROR_GET_EXECUTION] Cannot get execution: ' +
      `${url}/api/program/${programId}/pipeline/${pipelineId}/execution (404 Not Found)` +
      ' - Not found(s): A current execution does not exist.',
  })
