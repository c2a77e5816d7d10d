// Environments as the SDK lists them.

import assert from 'node:assert/strict'
import test from 'node:test'
import { startEmulator } from './emulator.js'

test('the environments of a program are listed with their types', async t => {
  const { sdk } = await startEmulator(t)
  const list = async programId => (await sdk.listEnvironments(programId))
    .map(({ id, programId, name, type, status }) => ({ id, programId, name, type, status }))

  assert.deepEqual(await list('4'), [
    { id: '59252', programId: '4', name: 'weretail-global-b75-dev', type: 'dev', status: 'ready' },
    { id: '59253', programId: '4', name: 'weretail-global-b75-stage', type: 'stage', status: 'ready' },
    { id: '59254', programId: '4', name: 'weretail-global-b75-prod', type: 'prod', status: 'ready' },
  ])
  assert.deepEqual((await list('5')).map(({ id }) => id), ['59262', '59263', '59264'])
})

test('an environment of another program is not found', async t => {
  const { sdk } = await startEmulator(t)
  await assert.rejects(sdk.listAvailableLogOptions('4', '59262'), {
    code: 'ERROR_FIND_ENVIRONMENT',
    message: '[CloudManagerSDK:ERROR_FIND_ENVIRONMENT] Could not find environment 59262 for program 4.',
  })
})

test('the log options of an environment name services and their logs', async t => {
  const { sdk } = await startEmulator(t)
  const options = await sdk.listAvailableLogOptions('4', '59253')
  assert.deepEqual(options.map(({ service, name }) => `${service} ${name}`), [
    'author aemerror', 'author aemaccess', 'author aemrequest',
    'publish aemerror', 'publish aemaccess', 'publish aemrequest',
    'dispatcher aemdispatcher', 'dispatcher httpderror', 'dispatcher httpdaccess',
  ])
})

test('an environment of managed services has no developer console', async t => {
  const { sdk } = await startEmulator(t)
  await assert.rejects(sdk.getDeveloperConsoleUrl('4', '59252'), { code: 'ERROR_NO_DEVELOPER_CONSOLE' })
})
