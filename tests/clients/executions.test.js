// The current execution of a pipeline and its history.

import assert from 'node:assert/strict'
import test from 'node:test'
import { FIRST_EXECUTION_ID, startEmulator } from './emulator.js'
import { assertNothingRuns } from './execution.js'

test('a pipeline that never ran has no current execution and no history', async t => {
  const emulator = await startEmulator(t)
  await assertNothingRuns(emulator, '4', '1')
  assert.deepEqual(await emulator.sdk.listExecutions('4', '1'), [])
})

test('a pipeline that runs is not started again', async t => {
  const { sdk } = await startEmulator(t)
  await sdk.createExecution('4', '1')

  await assert.rejects(sdk.createExecution('4', '1'), {
    code: 'ERROR_PIPELINE_START_RUNNING',
    message: '[CloudManagerSDK:ERROR_PIPELINE_START_RUNNING] Cannot create execution. Pipeline already running.',
  })
  assert.equal((await sdk.getCurrentExecution('4', '1')).id, FIRST_EXECUTION_ID)
  assert.equal((await sdk.listExecutions('4', '1')).length, 1)
})

test('of several starts at once exactly one succeeds', async t => {
  const { sdk } = await startEmulator(t)
  const starts = await Promise.allSettled(Array.from({ length: 8 }, () => sdk.createExecution('4', '1')))

  const refusals = starts.filter(start => start.status === 'rejected').map(start => start.reason.code)
  assert.deepEqual(refusals, Array(7).fill('ERROR_PIPELINE_START_RUNNING'))
  assert.equal((await sdk.listExecutions('4', '1')).length, 1)
})

test('the history is paged by its next link, newest first', async t => {
  const { sdk, get } = await startEmulator(t, { pace: 'immediate' })
  const newestFirst = []
  for (let count = 0; count < 25; count++) {
    newestFirst.unshift((await sdk.createExecution('4', '3')).id)
  }
  const idsOf = executions => executions.map(({ id }) => id)

  assert.equal(newestFirst.at(-1), FIRST_EXECUTION_ID)
  assert.equal(new Set(newestFirst).size, 25)
  assert.deepEqual(idsOf(await sdk.listExecutions('4', '3')), newestFirst.slice(0, 20))
  assert.deepEqual(idsOf(await sdk.listExecutions('4', '3', 22)), newestFirst.slice(0, 22))

  const all = await sdk.listExecutions('4', '3', 100)
  assert.deepEqual(idsOf(all), newestFirst)
  assert.ok(all.every(({ status }) => status === 'FINISHED'))

  const { body: firstPage } = await get('/api/program/4/pipeline/3/executions')
  assert.equal(firstPage._totalNumberOfItems, 25)
  assert.deepEqual(idsOf(firstPage._embedded.executions), newestFirst.slice(0, 20))
  const { body: secondPage } = await get(firstPage._links.next.href)
  assert.deepEqual(idsOf(secondPage._embedded.executions), newestFirst.slice(20))
  const { status, body: pageAfterTheEnd } = await get('/api/program/4/pipeline/3/executions?start=40')
  assert.equal(status, 200)
  assert.deepEqual(pageAfterTheEnd._embedded.executions, [])
})
