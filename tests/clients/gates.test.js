// Quality gates with a failed important metric: overridden and rejected by the SDK.

import assert from 'node:assert/strict'
import test from 'node:test'
import { FIRST_EXECUTION_ID, startEmulator } from './emulator.js'
import { assertNothingRuns, findStep, getWaitingStep, stepName, stepStatuses } from './execution.js'

const GATES = [{
  name: 'codeQuality',
  action: 'codeQuality',
  failure: { kpi: 'coverage', actualValue: '41.3', comparator: 'GTE', expectedValue: '50' },
}, {
  name: 'security',
  action: 'securityTest',
  failure: { kpi: 'webdav_health_check', actualValue: 'false', comparator: 'EQ', expectedValue: 'true' },
}, {
  name: 'performance',
  action: 'reportPerformanceTest',
  failure: { kpi: 'response_time', actualValue: '4.2', comparator: 'LT', expectedValue: '3' },
}]

for (const { name, action, failure } of GATES) {
  test(`a failed ${name} gate waits and is overridden`, async t => {
    const { sdk, explain } = await startWaitingAtGate(t, action, failure)
    assert.deepEqual(await listImportantFailures(sdk, name), [{ ...failure, override: false }])
    const gate = (await explain('4', '1', FIRST_EXECUTION_ID)).steps.find(step => step.action === action)
    assert.deepEqual([gate.advance, gate.cancel], [{ available: true }, { available: true }])

    await sdk.advanceCurrentExecution('4', '1')

    assert.deepEqual(await listImportantFailures(sdk, name), [{ ...failure, override: true }])
    const execution = await sdk.getCurrentExecution('4', '1')
    assert.equal(findStep(execution, action).status, 'FINISHED')
    assert.deepEqual(findStep(execution, action).details.input, { override: true })
    assert.equal(stepName(getWaitingStep(execution)), 'approval prod')
  })

  test(`a failed ${name} gate waits and is rejected`, async t => {
    const emulator = await startWaitingAtGate(t, action, failure)

    await emulator.sdk.cancelCurrentExecution('4', '1')

    const execution = await emulator.sdk.getExecution('4', '1', FIRST_EXECUTION_ID)
    const statuses = stepStatuses(execution)
    const rejected = statuses.indexOf(`${action} FAILED`)
    assert.equal(execution.status, 'FAILED')
    assert.notEqual(rejected, -1, statuses)
    assert.deepEqual(findStep(execution, action).details.input, { override: false })
    assert.ok(statuses.slice(0, rejected).every(status => status.endsWith(' FINISHED')), statuses)
    assert.ok(statuses.slice(rejected + 1).every(status => status.endsWith(' NOT_STARTED')), statuses)
    await assertNothingRuns(emulator, '4', '1')
  })
}

test('a scenario for one execution leaves the next one alone', async t => {
  const { sdk } = await startWaitingAtGate(t, 'codeQuality', GATES[0].failure)
  await sdk.cancelCurrentExecution('4', '1')

  await sdk.createExecution('4', '1')

  assert.equal(stepName(getWaitingStep(await sdk.getCurrentExecution('4', '1'))), 'approval prod')
})

async function startWaitingAtGate (t, action, { kpi, actualValue }) {
  const emulator = await startEmulator(t, { pace: 'immediate' })
  const scenario = { times: 1, steps: [{ action, metrics: { [kpi]: actualValue } }] }
  assert.deepEqual(await emulator.setScenario('4', '1', scenario), scenario)
  await emulator.sdk.createExecution('4', '1')

  const execution = await emulator.sdk.getCurrentExecution('4', '1')
  assert.equal(execution.status, 'RUNNING')
  assert.equal(getWaitingStep(execution).action, action)
  return emulator
}

async function listImportantFailures (sdk, gate) {
  const { metrics } = await sdk.getQualityGateResults('4', '1', FIRST_EXECUTION_ID, gate)
  return metrics
    .filter(({ severity, passed }) => severity === 'important' && !passed)
    .map(({ kpi, actualValue, comparator, expectedValue, override }) =>
      ({ kpi, actualValue, comparator, expectedValue, override }))
}
