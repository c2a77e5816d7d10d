// Deployments of which commands fail, as the SDK shows them.

import assert from 'node:assert/strict'
import test from 'node:test'
import { at, FIRST_EXECUTION_ID, startEmulator } from './emulator.js'
import { assertNothingRuns, findStep, readStepLog, stepStatuses } from './execution.js'

const failStage = (...failures) => ({
  times: 1,
  steps: [{ action: 'deploy', environmentType: 'stage', outcome: 'FAILED', failures }],
})

test('a command that fails fails the deployment and the execution, and dispatchers recover', async t => {
  const emulator = await startEmulator(t)
  const { sdk, advanceClock, setScenario } = emulator
  await setScenario('4', '1', failStage({ command: 'reload-dispatcher', message: 'httpd is stuck' }))
  await sdk.createExecution('4', '1')
  await advanceClock('PT1M')

  const execution = await sdk.getExecution('4', '1', FIRST_EXECUTION_ID)
  assert.equal(execution.status, 'FAILED')
  assert.equal(execution.finishedAt, at('10:00:13'))
  const statuses = stepStatuses(execution)
  assert.deepEqual(statuses.slice(0, 4),
    ['validate FINISHED', 'build FINISHED', 'codeQuality FINISHED', 'deploy stage FAILED'])
  assert.ok(statuses.slice(4).every(status => status.endsWith(' NOT_STARTED')), statuses)
  const { details } = findStep(execution, 'deploy stage')
  assert.equal(details.message, 'reload-dispatcher failed on dispatcher1uswest2: httpd is stuck')
  const performed = JSON.parse(details.deploymentStepDescription)
  assert.deepEqual(performed.filter(({ error }) => error).map(({ stepAction, instanceId, error }) =>
    ({ stepAction, instanceId, error })), [
    { stepAction: 'reload-dispatcher', instanceId: 'dispatcher1uswest2', error: 'httpd is stuck' },
  ])
  assert.deepEqual(performed.slice(-3).map(({ stepAction }) => stepAction),
    ['reload-dispatcher', 'restore-backup', 'reload-dispatcher'])
  assert.equal(details.currentDeployCommandId, String(performed.at(-1).id))
  await assertNothingRuns(emulator, '4', '1')
})

test('the log of a failed deployment tells what failed and what was done about it', async t => {
  const { sdk, setScenario } = await startEmulator(t, { pace: 'immediate' })
  await setScenario('4', '1', failStage({ command: 'reload-dispatcher', message: 'httpd is stuck' }))
  await sdk.createExecution('4', '1')

  const log = await readStepLog(sdk, '4', '1', FIRST_EXECUTION_ID, 'stageDeploy')

  assertInOrder(log, [
    '[INFO] Begin reload-dispatcher for dispatcher1uswest2\n',
    '[ERROR] httpd is stuck\n',
    '[ERROR] End reload-dispatcher for dispatcher1uswest2: failed\n',
    '[INFO] Begin restore-backup for dispatcher1uswest2 to recover\n',
    '[INFO] Begin reload-dispatcher for dispatcher1uswest2 to recover\n',
    '[INFO] End reload-dispatcher for dispatcher1uswest2: ok\n',
    '[ERROR] Failed\n',
  ])
  assert.ok(log.endsWith('[ERROR] Failed\n'), log)
})

test('a package that is not installed on an instance fails the deployment there', async t => {
  const { sdk, setScenario } = await startEmulator(t, { pace: 'immediate' })
  await setScenario('4', '1', failStage({ command: 'install-client-packages', instance: 'publish1uswest2' }))
  await sdk.createExecution('4', '1')

  const execution = await sdk.getExecution('4', '1', FIRST_EXECUTION_ID)
  assert.equal(execution.status, 'FAILED')
  assert.equal(findStep(execution, 'deploy stage').details.message,
    'install-client-packages failed on publish1uswest2: Package Manager reported an error')
  const log = await readStepLog(sdk, '4', '1', FIRST_EXECUTION_ID, 'stageDeploy')
  assertInOrder(log, [
    '[INFO] End install-client-packages for author1uswest2: ok\n',
    '[ERROR] End install-client-packages for publish1uswest2: failed\n',
    '[ERROR] Failed\n',
  ])
})

test('a production deployment that fails leaves the stage deployment finished', async t => {
  const { sdk, setScenario } = await startEmulator(t, { pace: 'immediate' })
  await setScenario('4', '1', {
    steps: [{
      action: 'deploy',
      environmentType: 'prod',
      outcome: 'FAILED',
      failures: [{ command: 'manage-elb-links-detach' }],
    }],
  })
  await sdk.createExecution('4', '1')
  await sdk.advanceCurrentExecution('4', '1')

  const execution = await sdk.getExecution('4', '1', FIRST_EXECUTION_ID)
  assert.equal(execution.status, 'FAILED')
  assert.equal(findStep(execution, 'deploy stage').status, 'FINISHED')
  assert.equal(findStep(execution, 'deploy prod').status, 'FAILED')
  assert.match(findStep(execution, 'deploy prod').details.message,
    /^manage-elb-links-detach failed on \w+: the load balancer did not answer in time$/)
  const log = await readStepLog(sdk, '4', '1', FIRST_EXECUTION_ID, 'prodDeploy')
  assertInOrder(log, ['[ERROR] the load balancer did not answer in time\n', '[ERROR] Failed\n'])
})

test('the execution after a failed deployment deploys', async t => {
  const { sdk, setScenario } = await startEmulator(t, { pace: 'immediate' })
  await setScenario('4', '1', failStage({ command: 'reload-dispatcher' }))
  await sdk.createExecution('4', '1')

  await sdk.createExecution('4', '1')

  const execution = await sdk.getCurrentExecution('4', '1')
  assert.equal(findStep(execution, 'deploy stage').status, 'FINISHED')
})

/** Checks that the log has these texts, one after another. */
function assertInOrder (log, texts) {
  let end = 0
  for (const text of texts) {
    const start = log.indexOf(text, end)
    assert.notEqual(start, -1, `${text} in ${log.slice(end)}`)
    end = start + text.length
  }
}
