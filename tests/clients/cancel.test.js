// Executions that are stopped: at the approval and while the build runs.

import assert from 'node:assert/strict'
import test from 'node:test'
import { at, FIRST_EXECUTION_ID, startEmulator } from './emulator.js'
import { assertNothingRuns, findHref, findStep, stepStatuses } from './execution.js'

test('a refused approval cancels the execution at once', async t => {
  const emulator = await startEmulator(t)
  const { sdk, advanceClock } = emulator
  await sdk.createExecution('4', '1')
  await advanceClock('PT20S')

  await sdk.cancelCurrentExecution('4', '1')

  const execution = await sdk.getExecution('4', '1', FIRST_EXECUTION_ID)
  assert.equal(execution.status, 'CANCELLED')
  assert.equal(execution.finishedAt, at('10:00:20'))
  assert.deepEqual(stepStatuses(execution).slice(-2), ['approval prod CANCELLED', 'deploy prod NOT_STARTED'])
  assert.deepEqual(findStep(execution, 'approval prod').details.input, { approved: false })
  await assertNothingRuns(emulator, '4', '1')
})

test('a running build is cancelled at once and its execution a second later', async t => {
  const emulator = await startEmulator(t)
  const { sdk, advanceClock } = emulator
  const listBusyIds = async () => (await sdk.listPipelines('4', { busy: true })).map(({ id }) => id)
  await sdk.createExecution('4', '1')
  await advanceClock('PT2S')

  await sdk.cancelCurrentExecution('4', '1')

  const cancelling = await sdk.getCurrentExecution('4', '1')
  assert.equal(cancelling.id, FIRST_EXECUTION_ID)
  assert.equal(cancelling.status, 'CANCELLING')
  assert.equal(cancelling.finishedAt, undefined)
  assert.deepEqual(stepStatuses(cancelling).slice(0, 3), [
    'validate FINISHED', 'build CANCELLED', 'codeQuality NOT_STARTED',
  ])
  assert.equal(findStep(cancelling, 'build').finishedAt, at('10:00:02'))
  assert.deepEqual(cancelling._embedded.stepStates.filter(step => findHref(step, 'pipeline/cancel')), [])
  assert.deepEqual(await listBusyIds(), ['1'])
  await assert.rejects(sdk.createExecution('4', '1'), { code: 'ERROR_PIPELINE_START_RUNNING' })
  await assert.rejects(sdk.cancelCurrentExecution('4', '1'), { code: 'ERROR_FIND_CANCEL_LINK' })

  await advanceClock('PT1S')

  const cancelled = await sdk.getExecution('4', '1', FIRST_EXECUTION_ID)
  assert.equal(cancelled.status, 'CANCELLED')
  assert.equal(cancelled.finishedAt, at('10:00:03'))
  assert.deepEqual(await listBusyIds(), [])
  await assertNothingRuns(emulator, '4', '1')
})

test('a running validation cannot be cancelled', async t => {
  const { sdk } = await startEmulator(t)
  await sdk.createExecution('4', '1')

  await assert.rejects(sdk.cancelCurrentExecution('4', '1'), {
    code: 'ERROR_FIND_CANCEL_LINK',
    message: '[CloudManagerSDK:ERROR_FIND_CANCEL_LINK] Cannot find a cancel link for the current step (validate).' +
      ' Step may not be cancellable.',
  })
})
