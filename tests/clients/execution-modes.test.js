// Executions in normal and in emergency mode, followed step by step from their start to their end.

import assert from 'node:assert/strict'
import test from 'node:test'
import { at, FIRST_EXECUTION_ID, startEmulator, USER } from './emulator.js'
import { assertNothingRuns, findStep, getCurrentStep, getWaitingStep, stepName, stepStatuses } from './execution.js'

const RUNS = [{
  mode: 'NORMAL',
  stepsBeforeApproval: [
    ['validate', '10:00:01'],
    ['build', '10:00:06'],
    ['codeQuality', '10:00:09'],
    ['deploy stage', '10:00:13'],
    ['securityTest', '10:00:14'],
    ['loadTest', '10:00:18'],
    ['assetsTest', '10:00:19'],
    ['reportPerformanceTest', '10:00:20'],
  ],
  end: '10:00:26',
}, {
  mode: 'EMERGENCY',
  stepsBeforeApproval: [
    ['validate', '10:00:01'],
    ['build', '10:00:06'],
    ['codeQuality', '10:00:09'],
    ['deploy stage', '10:00:13'],
  ],
  end: '10:00:19',
}]

for (const { mode, stepsBeforeApproval, end } of RUNS) {
  test(`an execution in ${mode} mode waits for the go-live approval and finishes`, async t => {
    const emulator = await startEmulator(t)
    const { sdk, advanceClock } = emulator
    const getCurrent = () => sdk.getCurrentExecution('4', '1')
    const get = () => sdk.getExecution('4', '1', FIRST_EXECUTION_ID)
    const names = [...stepsBeforeApproval.map(([name]) => name), 'approval prod', 'deploy prod']

    const created = await sdk.createExecution('4', '1', mode)
    assert.equal(created.id, FIRST_EXECUTION_ID)
    assert.equal(created.programId, '4')
    assert.equal(created.pipelineId, '1')
    assert.equal(created.pipelineExecutionMode, mode)
    assert.equal(created.trigger, 'MANUAL')
    assert.equal(created.user, USER)
    assert.equal(created.createdAt, at('10:00:00'))
    assert.equal(created.artifactsVersion, '2024.501.100000.0000953671')
    assert.deepEqual(created.embeddedArray('stepStates').map(stepName), names)

    for (const [name, finishedAt] of stepsBeforeApproval) {
      const running = getCurrentStep(await getCurrent())
      assert.equal(`${stepName(running)} ${running.status}`, `${name} RUNNING`)
      assert.equal((await advanceClock()).now, at(finishedAt))
      assert.equal(findStep(await get(), name).finishedAt, at(finishedAt))
    }

    const waiting = await getCurrent()
    assert.equal(waiting.status, 'RUNNING')
    assert.equal(stepName(getWaitingStep(waiting)), 'approval prod')
    await sdk.advanceCurrentExecution('4', '1')

    const deploying = await getCurrent()
    assert.deepEqual(findStep(deploying, 'approval prod').details.input, { approved: true })
    assert.equal(stepName(getCurrentStep(deploying)), 'deploy prod')
    assert.equal((await advanceClock()).now, at(end))

    const finished = await get()
    assert.equal(finished.status, 'FINISHED')
    assert.equal(finished.finishedAt, at(end))
    assert.deepEqual(stepStatuses(finished), names.map(name => `${name} FINISHED`))
    await assertNothingRuns(emulator, '4', '1')
  })
}

test('emergency mode is refused where the program does not have it', async t => {
  const emulator = await startEmulator(t)
  await assert.rejects(emulator.sdk.createExecution('5', '7', 'EMERGENCY'), {
    code: 'ERROR_PIPELINE_START',
    message: '[CloudManagerSDK:ERROR_PIPELINE_START] Cannot create execution: ' +
      `${emulator.url}/api/program/5/pipeline/7/execution?pipelineExecutionMode=EMERGENCY (400 Bad Request)` +
      ' - Bad request(s): The emergency pipeline execution mode is not activated for this program;' +
      ' a Customer Success Engineer activates it.',
  })
  await assertNothingRuns(emulator, '5', '7')
})

test('emergency mode is refused on a pipeline that is not a production pipeline', async t => {
  const emulator = await startEmulator(t)
  await assert.rejects(emulator.sdk.createExecution('4', '2', 'EMERGENCY'), {
    code: 'ERROR_PIPELINE_START',
    message: '[CloudManagerSDK:ERROR_PIPELINE_START] Cannot create execution: ' +
      `${emulator.url}/api/program/4/pipeline/2/execution?pipelineExecutionMode=EMERGENCY (400 Bad Request)` +
      ' - Bad request(s): Only production pipelines can be executed in emergency mode.',
  })
  await assertNothingRuns(emulator, '4', '2')
})
