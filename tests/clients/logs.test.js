// Step logs as the SDK writes them to a stream.

import assert from 'node:assert/strict'
import test from 'node:test'
import { FIRST_EXECUTION_ID, startEmulator } from './emulator.js'
import { readStepLog } from './execution.js'

const LINE_START = /^2024-05-01T10:00:\d\d\.\d{3}\+0000 \S/

test('the build log names the commit and the version, and has the lines of the scenario', async t => {
  const { sdk, advanceClock, setScenario } = await startEmulator(t)
  await setScenario('4', '1', { steps: [{ action: 'build', log: ['Tests run: 12, Failures: 0'] }] })
  await sdk.createExecution('4', '1')
  await advanceClock('PT6S')

  const log = await readLog(sdk, 'build')

  assertLog(log)
  assert.match(log, /\b21eeb31e59b0cab98e42c700ce7d2fc98828e947\b/)
  assert.match(log, /\b2024\.501\.100000\.0000953671\b/)
  assert.match(log, / Tests run: 12, Failures: 0\n/)
})

test('the log of a running build grows', async t => {
  const { sdk, advanceClock } = await startEmulator(t)
  await sdk.createExecution('4', '1')
  await advanceClock('PT3S')
  const whileRunning = await readLog(sdk, 'build')
  await advanceClock('PT3S')
  const whenFinished = await readLog(sdk, 'build')

  assertLog(whileRunning)
  assert.ok(whenFinished.startsWith(whileRunning), whenFinished)
  assert.ok(whenFinished.length > whileRunning.length, whenFinished)
})

test('code quality has a log of its gate and one of its scanner', async t => {
  const { sdk, advanceClock } = await startEmulator(t)
  await sdk.createExecution('4', '1')
  await advanceClock('PT9S')

  const gateLog = await readLog(sdk, 'codeQuality')
  const scannerLog = await readLog(sdk, 'codeQuality', 'sonarLogFile')

  assertLog(gateLog)
  assert.match(gateLog, /passed: coverage is 72\.4, expected at least 50\n/)
  assertLog(scannerLog)
  assert.doesNotMatch(scannerLog, /coverage is/)
})

test('a log file that a step does not have is not found', async t => {
  const { sdk, advanceClock } = await startEmulator(t)
  await sdk.createExecution('4', '1')
  await advanceClock('PT6S')

  await assert.rejects(readLog(sdk, 'build', 'sonarLogFile'), {
    code: 'ERROR_GET_LOG',
    message: /\/logs\?file=sonarLogFile \(404 Not Found\) - Not found\(s\): The log does not exist\.$/,
  })
})

const readLog = (sdk, action, file) => readStepLog(sdk, '4', '1', FIRST_EXECUTION_ID, action, file)

function assertLog (log) {
  assert.ok(log.endsWith('\n'), log)
  for (const line of log.trimEnd().split('\n')) assert.match(line, LINE_START)
}
