// Logs of running steps, followed by the SDK until the step ends.

import assert from 'node:assert/strict'
import test from 'node:test'
import { FIRST_EXECUTION_ID, startEmulator } from './emulator.js'
import { readStepLog } from './execution.js'
import { tail } from './tail.js'

/** How long the SDK waits for further lines, in milliseconds. */
const PAUSE = 5000

test('lines of a running build arrive while the clock goes on, until the build ends', async t => {
  const { sdk, advanceClock } = await startEmulator(t)
  const download = () => readStepLog(sdk, '4', '1', FIRST_EXECUTION_ID, 'build')
  await sdk.createExecution('4', '1')
  await advanceClock('PT1S')
  const lengths = []

  const { result, error, printed, pauses } = await tail(t, {
    pause: PAUSE,
    duringPause: async printed => {
      assert.equal(printed, await download(), 'all that there is now')
      lengths.push(printed.length)
      await advanceClock('PT1S')
    },
  }, output => sdk.tailExecutionStepLog('4', '1', 'build', output))

  assert.ifError(error)
  assert.equal(result.action, 'build')
  assert.equal(result.status, 'FINISHED')
  assert.equal(pauses, 5, 'the build runs for five seconds')
  assert.ok(lengths[0] > 0)
  assert.equal(new Set(lengths).size, lengths.length, `there is something new each second: ${lengths}`)
  assert.ok((await download()).startsWith(printed), printed)
})

test('the tail of a build that fails ends with its failure', async t => {
  const { sdk, advanceClock, setScenario } = await startEmulator(t)
  await setScenario('4', '1', { steps: [{ action: 'build', outcome: 'FAILED', log: ['BUILD FAILURE'] }] })
  await sdk.createExecution('4', '1')
  await advanceClock('PT1S')

  const { result, error } = await tail(t, { pause: PAUSE, duringPause: () => advanceClock('PT1S') },
    output => sdk.tailExecutionStepLog('4', '1', 'build', output))

  assert.ifError(error)
  assert.equal(result.status, 'FAILED')
  const log = await readStepLog(sdk, '4', '1', FIRST_EXECUTION_ID, 'build')
  assert.match(log, / BUILD FAILURE\n/)
})

test('the tail of a build that is cancelled ends with the cancellation', async t => {
  const { sdk, advanceClock } = await startEmulator(t)
  await sdk.createExecution('4', '1')
  await advanceClock('PT3S')

  const { result, error, printed, pauses } = await tail(t, {
    pause: PAUSE,
    duringPause: () => sdk.cancelCurrentExecution('4', '1'),
  }, output => sdk.tailExecutionStepLog('4', '1', 'build', output))

  assert.ifError(error)
  assert.equal(result.status, 'CANCELLED')
  assert.equal(pauses, 1)
  assert.ok((await readStepLog(sdk, '4', '1', FIRST_EXECUTION_ID, 'build')).startsWith(printed), printed)
})

test('another log file of a step is tailed by its name', async t => {
  const { sdk, advanceClock } = await startEmulator(t)
  const download = () => readStepLog(sdk, '4', '1', FIRST_EXECUTION_ID, 'codeQuality', 'sonarLogFile')
  await sdk.createExecution('4', '1')
  await advanceClock('PT7S')

  const { result, error, printed } = await tail(t, {
    pause: PAUSE,
    duringPause: async printed => {
      assert.equal(printed, await download())
      await advanceClock('PT1S')
    },
  }, output => sdk.tailExecutionStepLog('4', '1', 'codeQuality', 'sonarLogFile', output))

  assert.ifError(error)
  assert.equal(result.status, 'FINISHED')
  assert.notEqual(printed, '')
  assert.ok((await download()).startsWith(printed), printed)
})

test('a step that does not run is not tailed', async t => {
  const { sdk, advanceClock } = await startEmulator(t)
  await sdk.createExecution('4', '1')
  const assertNotRunning = async () => {
    const { error, printed } = await tail(t, { pause: PAUSE },
      output => sdk.tailExecutionStepLog('4', '1', 'build', output))
    assert.equal(error?.code, 'ERROR_STEP_STATE_NOT_RUNNING')
    assert.equal(error.message, '[CloudManagerSDK:ERROR_STEP_STATE_NOT_RUNNING] ' +
      `The build step in execution ${FIRST_EXECUTION_ID} is not currently running.`)
    assert.equal(printed, '')
  }

  await assertNotRunning()
  await advanceClock('PT6S')
  await assertNotRunning()
})

test('every step that ran has a log, except the validation', async t => {
  const { sdk } = await startEmulator(t, { pace: 'immediate' })
  await sdk.createExecution('4', '1')
  await sdk.advanceCurrentExecution('4', '1')

  for (const action of [
    'build', 'codeQuality',
    'stageDeploy', 'security', 'loadTest', 'assetsTest', 'performance', 'prodDeploy',
  ]) {
    const log = await readStepLog(sdk, '4', '1', FIRST_EXECUTION_ID, action)
    assert.match(log, /^(2024-05-01T10:00:00\.000\+0000 \S.*\n)+$/, action)
  }
  await assert.rejects(readStepLog(sdk, '4', '1', FIRST_EXECUTION_ID, 'validate'))
})
