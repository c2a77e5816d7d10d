// Programs and pipelines as the SDK lists them.

import assert from 'node:assert/strict'
import test from 'node:test'
import { startEmulator } from './emulator.js'

test('the emulator is healthy once it listens', async t => {
  const { health } = await startEmulator(t)
  assert.equal((await health()).status, 'ok')
})

test('programs and their pipelines are listed', async t => {
  const { sdk } = await startEmulator(t)

  const programs = await sdk.listPrograms()
  assert.deepEqual(programs.map(({ id, name, enabled }) => ({ id, name, enabled })), [
    { id: '4', name: 'We.Retail Global', enabled: true },
    { id: '5', name: 'We.Retail Outlet', enabled: true },
  ])
  assert.deepEqual(await listPipelines(sdk, '4'), [
    { id: '1', programId: '4', name: 'Production Pipeline', status: 'IDLE' },
    { id: '2', programId: '4', name: 'Deploy to dev', status: 'IDLE' },
    { id: '3', programId: '4', name: 'Code quality', status: 'IDLE' },
  ])
  assert.deepEqual(await listPipelines(sdk, '5'), [
    { id: '7', programId: '5', name: 'Production Pipeline', status: 'IDLE' },
    { id: '8', programId: '5', name: 'Deploy to dev', status: 'IDLE' },
  ])
})

test('a pipeline is busy while its execution runs or waits', async t => {
  const { sdk, advanceClock } = await startEmulator(t)
  const production = [{ id: '1', programId: '4', name: 'Production Pipeline', status: 'BUSY' }]
  const listBusy = () => listPipelines(sdk, '4', { busy: true })

  assert.deepEqual(await listBusy(), [])
  await sdk.createExecution('4', '1')
  assert.deepEqual(await listBusy(), production, 'while it runs')
  await advanceClock('PT20S')
  assert.deepEqual(await listBusy(), production, 'while it waits for the approval')
  await sdk.advanceCurrentExecution('4', '1')
  await advanceClock('PT6S')
  assert.deepEqual(await listBusy(), [])
})

async function listPipelines (sdk, programId, options) {
  const pipelines = await sdk.listPipelines(programId, options)
  return pipelines.map(({ id, programId, name, status }) => ({ id, programId, name, status }))
}
