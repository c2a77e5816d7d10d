// A pipeline with every kind of consent: both approvals, a schedule and oversight by an engineer.
// Answers are sent without the SDK, which can't answer a schedule.

import assert from 'node:assert/strict'
import test from 'node:test'
import { at, FIRST_EXECUTION_ID, startEmulator } from './emulator.js'
import { assertNothingRuns, findHref, findStep, getWaitingStep, stepName, stepStatuses } from './execution.js'

const APPROVE = { approved: true }
const NOW = { type: 'IMMEDIATE' }
const AT_ELEVEN = { type: 'SCHEDULED', schedule: '2024-05-01T11:00:00.000Z' }
const START = { start: true }

const FINISHED_STEPS = [
  'validate', 'build', 'codeQuality',
  'deploy stage', 'approval stage', 'securityTest', 'loadTest', 'reportPerformanceTest',
  'approval prod', 'schedule', 'managed', 'deploy prod',
].map(name => `${name} FINISHED`)

test('a scheduled deployment goes on at its time', async t => {
  const emulator = await startEmulator(t, { pace: 'immediate' })
  await emulator.sdk.createExecution('5', '7')
  await answer(emulator, 'approval stage', APPROVE)
  await answer(emulator, 'approval prod', APPROVE)
  await assert.rejects(emulator.sdk.advanceCurrentExecution('5', '7'), { code: 'ERROR_UNSUPPORTED_ADVANCE_STEP' })
  await answer(emulator, 'schedule', AT_ELEVEN)

  const scheduled = await findWaiting(emulator)
  assert.equal(stepName(scheduled), 'schedule')
  assert.deepEqual(scheduled.details.input, AT_ELEVEN)
  assert.equal((await emulator.advanceClock('PT59M59.999S')).nextDue, at('11:00:00'))
  assert.equal(stepName(await findWaiting(emulator)), 'schedule')

  assert.equal((await emulator.advanceClock()).now, at('11:00:00'))
  await answer(emulator, 'managed', START)
  const execution = await getFirst(emulator)
  assert.equal(findStep(execution, 'schedule').finishedAt, at('11:00:00'))
  assert.equal(execution.status, 'FINISHED')
  assert.deepEqual(stepStatuses(execution), FINISHED_STEPS)
  await assertNothingRuns(emulator, '5', '7')
})

test('a deployment scheduled for now goes on at once', async t => {
  const emulator = await startWaitingAt(t, 'managed')
  assert.deepEqual(findStep(await getFirst(emulator), 'schedule').details.input, NOW)

  await answer(emulator, 'managed', START)

  const execution = await getFirst(emulator)
  assert.equal(execution.status, 'FINISHED')
  assert.equal(execution.finishedAt, at('10:00:00'))
  assert.deepEqual(findStep(execution, 'managed').details.input, START)
  assert.deepEqual(stepStatuses(execution), FINISHED_STEPS)
})

test('a schedule in the past is refused and changes nothing', async t => {
  const emulator = await startWaitingAt(t, 'schedule')
  const before = await getFirst(emulator)

  const { status, headers } = await emulator.put(findHref(await findWaiting(emulator), 'pipeline/advance'),
    { type: 'SCHEDULED', schedule: '2024-05-01T09:59:59.999Z' })

  assert.equal(status, 400)
  assert.equal(headers.get('content-type'), 'application/problem+json')
  assert.deepEqual(await getFirst(emulator), before)
})

for (const [name, refusal] of [['schedule', { cancel: true }], ['managed', { start: false }]]) {
  const cancels = {
    'by its link': async emulator =>
      assert.equal((await emulator.put(findHref(await findWaiting(emulator), 'pipeline/cancel'), refusal)).status, 202),
    'by the SDK': ({ sdk }) => sdk.cancelCurrentExecution('5', '7'),
  }
  for (const [how, cancel] of Object.entries(cancels)) {
    test(`a waiting ${name} step is cancelled ${how}`, async t => {
      const emulator = await startWaitingAt(t, name)

      await cancel(emulator)

      const execution = await getFirst(emulator)
      assert.equal(execution.status, 'CANCELLED')
      assert.equal(findStep(execution, name).status, 'CANCELLED')
      assert.deepEqual(findStep(execution, name).details.input, refusal)
      assert.equal(findStep(execution, 'deploy prod').status, 'NOT_STARTED')
      await assertNothingRuns(emulator, '5', '7')
    })
  }
}

async function startWaitingAt (t, name) {
  const emulator = await startEmulator(t, { pace: 'immediate' })
  await emulator.sdk.createExecution('5', '7')
  await answer(emulator, 'approval stage', APPROVE)
  await answer(emulator, 'approval prod', APPROVE)
  if (name === 'managed') await answer(emulator, 'schedule', NOW)
  assert.equal(stepName(await findWaiting(emulator)), name)
  return emulator
}

/** Advances the step of that name, which has to be the one that waits. */
async function answer (emulator, name, body) {
  const step = await findWaiting(emulator)
  assert.equal(stepName(step), name)
  assert.equal((await emulator.put(findHref(step, 'pipeline/advance'), body)).status, 202)
}

const findWaiting = async ({ sdk }) => getWaitingStep(await sdk.getCurrentExecution('5', '7'))

const getFirst = ({ sdk }) => sdk.getExecution('5', '7', FIRST_EXECUTION_ID)
