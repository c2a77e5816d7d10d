// A deployment that pauses: resumed and stopped by the SDK.

import assert from 'node:assert/strict'
import test from 'node:test'
import { at, FIRST_EXECUTION_ID, startEmulator } from './emulator.js'
import { assertNothingRuns, findStep, getCurrentStep, getWaitingStep, stepName, stepStatuses } from './execution.js'

test('a paused deployment is resumed and runs the rest of its time', async t => {
  const { sdk, advanceClock } = await startWithPausedDeployment(t)

  await sdk.advanceCurrentExecution('4', '1')

  const resumed = findStep(await sdk.getCurrentExecution('4', '1'), 'deploy stage')
  assert.equal(resumed.status, 'RUNNING')
  assert.deepEqual(resumed.details.input, { resume: true })
  assert.equal((await advanceClock()).now, at('10:00:13'))
  const execution = await sdk.getCurrentExecution('4', '1')
  assert.equal(findStep(execution, 'deploy stage').status, 'FINISHED')
  assert.equal(stepName(getCurrentStep(execution)), 'securityTest')
})

test('a paused deployment is stopped', async t => {
  const emulator = await startWithPausedDeployment(t)

  await emulator.sdk.cancelCurrentExecution('4', '1')

  const execution = await emulator.sdk.getExecution('4', '1', FIRST_EXECUTION_ID)
  assert.equal(execution.status, 'CANCELLED')
  assert.equal(execution.finishedAt, at('10:00:11'))
  assert.deepEqual(stepStatuses(execution).slice(3, 5), ['deploy stage CANCELLED', 'securityTest NOT_STARTED'])
  assert.deepEqual(findStep(execution, 'deploy stage').details.input, { resume: false })
  await assertNothingRuns(emulator, '4', '1')
})

/** The stage deployment runs from second 9 to second 13 and pauses halfway. */
async function startWithPausedDeployment (t) {
  const emulator = await startEmulator(t)
  await emulator.setScenario('4', '1', {
    steps: [{ action: 'deploy', environmentType: 'stage', outcome: 'PAUSED' }],
  })
  await emulator.sdk.createExecution('4', '1')
  await emulator.advanceClock('PT9S')

  const { now, nextDue } = await emulator.advanceClock()
  assert.equal(now, at('10:00:11'))
  assert.equal(nextDue, undefined, 'nobody is timed out')
  const execution = await emulator.sdk.getCurrentExecution('4', '1')
  assert.equal(execution.status, 'RUNNING')
  assert.equal(stepName(getWaitingStep(execution)), 'deploy stage')
  return emulator
}
