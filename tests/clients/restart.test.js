// An execution outlives the emulator that started it.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { at, FIRST_EXECUTION_ID, startEmulator } from './emulator.js'
import { getCurrentStep, getWaitingStep, stepName } from './execution.js'

test('an execution goes on after a restart', async t => {
  const directory = await mkdtemp(join(tmpdir(), 'cloudmanager-'))
  const database = join(directory, 'cloudmanager.db')
  const first = await startEmulator(t, { database })
  await first.sdk.createExecution('4', '1')
  await first.advanceClock('PT3S')
  const beforeRestart = await first.sdk.getCurrentExecution('4', '1')
  assert.equal(stepName(getCurrentStep(beforeRestart)), 'build')
  await first.stop()

  const { sdk, advanceClock } = await startEmulator(t, { database })
  t.after(() => rm(directory, { recursive: true }))

  assert.deepEqual(await sdk.getCurrentExecution('4', '1'), beforeRestart)
  assert.equal((await advanceClock()).now, at('10:00:06'), 'the clock stood still')
  await advanceClock('PT14S')
  assert.equal(stepName(getWaitingStep(await sdk.getCurrentExecution('4', '1'))), 'approval prod')
  await sdk.advanceCurrentExecution('4', '1')
  assert.equal((await advanceClock()).now, at('10:00:26'))

  const finished = await sdk.getExecution('4', '1', FIRST_EXECUTION_ID)
  assert.equal(finished.status, 'FINISHED')
  assert.equal(finished.createdAt, at('10:00:00'))
  assert.equal(finished.finishedAt, at('10:00:26'))
})
