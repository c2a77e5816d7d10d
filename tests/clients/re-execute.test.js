// Production deployments that are executed again through the link on their step state.

import assert from 'node:assert/strict'
import test from 'node:test'
import { FIRST_EXECUTION_ID, startEmulator } from './emulator.js'
import { findHref, findStep, readStepLog, stepName, stepStatuses } from './execution.js'

const NEXT_EXECUTION_ID = '953672'

test('a finished production deployment is executed again', async t => {
  const { sdk, put, url } = await startAndApprove(t)
  const first = await sdk.getExecution('4', '1', FIRST_EXECUTION_ID)
  assert.equal(first.status, 'FINISHED')
  assert.deepEqual(listReExecutable(first), ['deploy prod'])

  const { status, headers, body } = await put(reExecuteHref(first))

  assert.equal(status, 201)
  assert.equal(headers.get('location'), `${url}/api/program/4/pipeline/1/execution/${NEXT_EXECUTION_ID}`)
  assert.equal(body.id, NEXT_EXECUTION_ID)
  assert.equal(body.trigger, 'RE_EXECUTE')
  assert.equal(body.pipelineExecutionMode, 'NORMAL')
  assert.deepEqual(body._embedded.stepStates.map(stepName), ['validate', 'build', 'deploy prod'])

  const second = await sdk.getExecution('4', '1', NEXT_EXECUTION_ID)
  assert.equal(second.status, 'FINISHED')
  assert.equal(second.trigger, 'RE_EXECUTE')
  assert.deepEqual(stepStatuses(second), ['validate FINISHED', 'build FINISHED', 'deploy prod FINISHED'])
  assert.deepEqual(listReExecutable(second), ['deploy prod'])
  assert.deepEqual(listReExecutable(await sdk.getExecution('4', '1', FIRST_EXECUTION_ID)), [],
    'only the last execution is executed again')
})

test('the build of a re-execution says that it copies the artifacts of the first execution', async t => {
  const { sdk, put } = await startAndApprove(t)
  await put(reExecuteHref(await sdk.getExecution('4', '1', FIRST_EXECUTION_ID)))

  const log = await readStepLog(sdk, '4', '1', NEXT_EXECUTION_ID, 'build')
  assert.match(log, / Artifacts copied from execution 953671, version 2024\.501\.100000\.0000953671\n/)
  assert.match(log, / No build is executed\n/)
  assert.doesNotMatch(log, /mvn/)
  const build = findStep(await sdk.getExecution('4', '1', NEXT_EXECUTION_ID), 'build')
  assert.match(JSON.stringify(build.details), /\b953671\b/)
})

test('a failed production deployment is executed again', async t => {
  const { sdk, put } = await startAndApprove(t, {
    times: 1,
    steps: [{ action: 'deploy', environmentType: 'prod', outcome: 'FAILED' }],
  })
  const first = await sdk.getExecution('4', '1', FIRST_EXECUTION_ID)
  assert.equal(first.status, 'FAILED')
  assert.equal(findStep(first, 'deploy prod').status, 'FAILED')

  assert.equal((await put(reExecuteHref(first))).status, 201)

  assert.equal((await sdk.getExecution('4', '1', NEXT_EXECUTION_ID)).status, 'FINISHED')
})

test('an execution that ended before its production deployment is not executed again', async t => {
  const { sdk, put } = await startEmulator(t, { pace: 'immediate' })
  await sdk.createExecution('4', '1')
  await sdk.cancelCurrentExecution('4', '1')

  assert.deepEqual(listReExecutable(await sdk.getExecution('4', '1', FIRST_EXECUTION_ID)), [])
  assert.equal((await put('/api/program/4/pipeline/1/execution?stepId=2983530')).status, 400)
})

test('rollbacks and updates by Adobe are not executed again', async t => {
  const { sdk, get, put, post } = await startAndApprove(t)
  await post('/program/4/pipeline/1/push-update')
  await sdk.advanceCurrentExecution('4', '1')
  const update = await sdk.getExecution('4', '1', NEXT_EXECUTION_ID)
  assert.deepEqual([update.status, update.trigger], ['FINISHED', 'PUSH_UPGRADES'])
  assert.deepEqual(listReExecutable(update), [])
  assert.equal((await put('/api/program/4/pipeline/1/execution?stepId=2983530')).status, 400)

  const { body: pipeline } = await get('/api/program/4/pipeline/1')
  const { status, body } = await put(findHref(pipeline, 'rollbackLastSuccessfulExecution'))
  assert.equal(status, 201)
  const rollback = await sdk.getExecution('4', '1', body.id)
  assert.deepEqual([rollback.status, rollback.trigger], ['FINISHED', 'ROLLBACK'])
  assert.deepEqual(rollback._embedded.stepStates.map(stepName), ['validate', 'build', 'deploy prod'])
  assert.deepEqual(listReExecutable(rollback), [])
  assert.equal((await put('/api/program/4/pipeline/1/execution?stepId=2983530')).status, 400)
})

async function startAndApprove (t, scenario) {
  const emulator = await startEmulator(t, { pace: 'immediate' })
  if (scenario) await emulator.setScenario('4', '1', scenario)
  await emulator.sdk.createExecution('4', '1')
  await emulator.sdk.advanceCurrentExecution('4', '1')
  return emulator
}

const reExecuteHref = execution => findHref(findStep(execution, 'deploy prod'), 'pipeline/reExecute')

const listReExecutable = execution =>
  execution._embedded.stepStates.filter(step => findHref(step, 'pipeline/reExecute')).map(stepName)
