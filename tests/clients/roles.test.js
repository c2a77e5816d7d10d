// Clients that are let in by a token of their own and may do what their roles allow.

import assert from 'node:assert/strict'
import test from 'node:test'
import { FIRST_EXECUTION_ID, ORGANISATION, startEmulator } from './emulator.js'

const client = (id, ...roles) => ({
  clientId: id,
  clientSecret: `${id}-secret`,
  technicalAccountId: `${id}@techacct.adobe.com`,
  tenantId: '1',
  roles,
})

const SEED = {
  tenants: [{ id: '1', imsOrgId: ORGANISATION, imsTenantId: 'weretail' }],
  clients: [client('dev', 'developer'), client('ci', 'deploymentManager')],
}

test('a Developer reads but does not start, a Deployment Manager starts', async t => {
  const { signIn, addSeed } = await startEmulator(t, { auth: 'strict' })
  await addSeed(SEED)
  const developer = await signIn('dev', 'dev-secret')
  const deploymentManager = await signIn('ci', 'ci-secret')

  assert.deepEqual((await developer.listPrograms()).map(({ id }) => id), ['4', '5'])
  await assert.rejects(developer.createExecution('4', '1'), error => {
    assert.equal(error.code, 'ERROR_PIPELINE_START')
    assert.match(error.message, /403 Forbidden/)
    assert.match(error.message,
      /startPipeline needs one of the roles businessOwner, deploymentManager, programManager/)
    return true
  })

  await deploymentManager.createExecution('4', '1')

  const execution = await developer.getExecution('4', '1', FIRST_EXECUTION_ID)
  assert.equal(execution.user, 'ci@techacct.adobe.com')
})

test('without a token of the emulator nobody is let in, and tokens expire', async t => {
  const { sdk, signIn, advanceClock } = await startEmulator(t, { auth: 'strict' })
  await assert.rejects(sdk.listPrograms(), /401 Unauthorized/)
  const signedIn = await signIn('emulator', 'emulator')
  await signedIn.listPrograms()

  await advanceClock('P1D')

  await assert.rejects(signedIn.listPrograms(), /401 Unauthorized/)
  await (await signIn('emulator', 'emulator')).listPrograms()
})
