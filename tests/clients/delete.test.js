// Pipelines, environments and programs deleted by the SDK, and caches of pipelines emptied.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { FIRST_EXECUTION_ID, startEmulator } from './emulator.js'
import { findStep } from './execution.js'

const idsOf = resources => resources.map(({ id }) => id)

/** How the SDK shows that a `what` at the address can't be deleted while the pipeline 1 runs. */
const inUse = (code, what, address) => ({
  code,
  message: `[CloudManagerSDK:${code}] Cannot delete ${what}: ${address} (412 Precondition Failed)` +
    ` - In use(s): The ${what} can't be changed or deleted while the pipeline 1 has an unfinished execution;` +
    ' wait until it has ended, or cancel it.',
})

test('a deleted pipeline is gone with its executions', async t => {
  const { sdk, get } = await startEmulator(t, { pace: 'immediate' })
  await sdk.createExecution('4', '3')

  assert.deepEqual(await sdk.deletePipeline('4', '3'), {})

  assert.deepEqual(idsOf(await sdk.listPipelines('4')), ['1', '2'])
  await assert.rejects(sdk.deletePipeline('4', '3'), {
    code: 'ERROR_FIND_PIPELINE',
    message: '[CloudManagerSDK:ERROR_FIND_PIPELINE] Pipeline 3 does not exist in program 4.',
  })
  for (const path of ['', '/executions', `/execution/${FIRST_EXECUTION_ID}`]) {
    assert.equal((await get(`/api/program/4/pipeline/3${path}`)).status, 404, path)
  }
})

test('a pipeline is not deleted while it runs or waits, but afterwards', async t => {
  const { sdk, url, advanceClock } = await startEmulator(t)
  const refusal = inUse('ERROR_DELETE_PIPELINE', 'pipeline', `${url}/api/program/4/pipeline/1`)
  await sdk.createExecution('4', '1')

  await assert.rejects(sdk.deletePipeline('4', '1'), refusal)
  await advanceClock('PT20S')
  await assert.rejects(sdk.deletePipeline('4', '1'), refusal)
  assert.equal((await sdk.getCurrentExecution('4', '1')).status, 'RUNNING')

  await sdk.cancelCurrentExecution('4', '1')
  await sdk.deletePipeline('4', '1')
  assert.deepEqual(idsOf(await sdk.listPipelines('4')), ['2', '3'])
})

test('a deleted environment is gone, and deployments to it fail at the validation', async t => {
  const { sdk } = await startEmulator(t, { pace: 'immediate' })

  assert.deepEqual(await sdk.deleteEnvironment('4', '59252'), {})

  assert.deepEqual(idsOf(await sdk.listEnvironments('4')), ['59253', '59254'])
  await assert.rejects(sdk.deleteEnvironment('4', '59252'), {
    code: 'ERROR_FIND_ENVIRONMENT',
    message: '[CloudManagerSDK:ERROR_FIND_ENVIRONMENT] Could not find environment 59252 for program 4.',
  })
  await sdk.createExecution('4', '2')
  const execution = await sdk.getExecution('4', '2', FIRST_EXECUTION_ID)
  assert.equal(execution.status, 'FAILED')
  assert.equal(findStep(execution, 'validate').details.message, 'The environment 59252 does not exist.')
})

test('an environment is not deleted while a pipeline that deploys to it runs, another one is', async t => {
  const { sdk, url, advanceClock } = await startEmulator(t)
  const refusal = inUse('ERROR_DELETE_ENVIRONMENT', 'environment', `${url}/api/program/4/environment/59253`)
  await sdk.createExecution('4', '1')
  await advanceClock('PT2S')

  await assert.rejects(sdk.deleteEnvironment('4', '59253'), refusal)
  await sdk.deleteEnvironment('4', '59252')
  assert.deepEqual(idsOf(await sdk.listEnvironments('4')), ['59253', '59254'])

  await sdk.cancelCurrentExecution('4', '1')
  await assert.rejects(sdk.deleteEnvironment('4', '59253'), refusal, 'while it is being cancelled')
  await advanceClock('PT1S')
  await sdk.deleteEnvironment('4', '59253')
  assert.deepEqual(idsOf(await sdk.listEnvironments('4')), ['59254'])
})

test('a deleted program is gone with all that it had, even while it runs', async t => {
  const { sdk, get, advanceClock } = await startEmulator(t)
  await sdk.createExecution('4', '1')
  await sdk.createExecution('5', '8')
  await advanceClock('PT2S')

  assert.deepEqual(await sdk.deleteProgram('4'), {})

  assert.deepEqual(idsOf(await sdk.listPrograms()), ['5'])
  await assert.rejects(sdk.deleteProgram('4'), {
    code: 'ERROR_FIND_PROGRAM',
    message: '[CloudManagerSDK:ERROR_FIND_PROGRAM] Could not find program 4',
  })
  for (const path of ['', '/pipelines', '/environments', `/pipeline/1/execution/${FIRST_EXECUTION_ID}`]) {
    assert.equal((await get(`/api/program/4${path}`)).status, 404, path)
  }
  assert.equal((await sdk.getCurrentExecution('5', '8')).status, 'RUNNING', 'another program goes on')
  await advanceClock('PT1M')
  assert.equal((await advanceClock('PT1M')).nextDue, undefined, 'nothing of it is due any more')
})

test('what is deleted stays deleted after a restart', async t => {
  const directory = await mkdtemp(join(tmpdir(), 'cloudmanager-'))
  const database = join(directory, 'cloudmanager.db')
  const first = await startEmulator(t, { database })
  await first.sdk.deletePipeline('4', '3')
  await first.sdk.deleteEnvironment('4', '59252')
  await first.sdk.deleteProgram('5')
  await first.stop()

  const { sdk } = await startEmulator(t, { database })
  t.after(() => rm(directory, { recursive: true }))

  assert.deepEqual(idsOf(await sdk.listPrograms()), ['4'])
  assert.deepEqual(idsOf(await sdk.listPipelines('4')), ['1', '2'])
  assert.deepEqual(idsOf(await sdk.listEnvironments('4')), ['59253', '59254'])
})

test('the cache of a pipeline is emptied, also while it runs', async t => {
  const { sdk } = await startEmulator(t)
  assert.deepEqual(await sdk.invalidatePipelineCache('4', '1'), {})
  await sdk.createExecution('4', '1')
  assert.deepEqual(await sdk.invalidatePipelineCache('4', '1'), {})
  assert.equal((await sdk.getCurrentExecution('4', '1')).id, FIRST_EXECUTION_ID)
})

test('a pipeline that does not exist has no cache', async t => {
  const { sdk } = await startEmulator(t)
  await assert.rejects(sdk.invalidatePipelineCache('4', '9'), { code: 'ERROR_FIND_PIPELINE' })
})
