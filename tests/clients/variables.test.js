// Variables of pipelines and environments, set, listed and deleted by the SDK.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { startEmulator } from './emulator.js'

const OWNERS = [{
  owner: 'pipeline',
  path: '/api/program/4/pipeline/1',
  service: 'build',
  list: sdk => sdk.getPipelineVariables('4', '1'),
  set: (sdk, variables) => sdk.setPipelineVariables('4', '1', variables),
  listOther: sdk => sdk.getPipelineVariables('4', '2'),
}, {
  owner: 'environment',
  path: '/api/program/4/environment/59252',
  service: 'author',
  list: sdk => sdk.getEnvironmentVariables('4', '59252'),
  set: (sdk, variables) => sdk.setEnvironmentVariables('4', '59252', variables),
  listOther: sdk => sdk.getEnvironmentVariables('4', '59253'),
}]

for (const { owner, path, service, list, set, listOther } of OWNERS) {
  test(`variables of the ${owner} are set, listed by name, changed and deleted`, async t => {
    const { sdk } = await startEmulator(t)
    assert.deepEqual(await list(sdk), [])

    assert.equal(await set(sdk, [
      { name: 'SECOND', value: '2' },
      { name: 'FIRST', type: 'string', value: '1' },
    ]), true)
    assert.deepEqual(await list(sdk), [
      { name: 'FIRST', type: 'string', value: '1', status: 'ready' },
      { name: 'SECOND', type: 'string', value: '2', status: 'ready' },
    ])
    assert.deepEqual(await listOther(sdk), [], `another ${owner} has its own`)

    await set(sdk, [{ name: 'FIRST', type: 'string', value: '' }, { name: 'SECOND', type: 'string', value: 'two' }])
    assert.deepEqual(await list(sdk), [{ name: 'SECOND', type: 'string', value: 'two', status: 'ready' }])

    await set(sdk, [{ name: 'SECOND' }, { name: 'NEVER_THERE', value: '' }])
    assert.deepEqual(await list(sdk), [])
  })

  test(`the value of a secret of the ${owner} never comes back`, async t => {
    const directory = await mkdtemp(join(tmpdir(), 'cloudmanager-'))
    const database = join(directory, 'cloudmanager.db')
    const secret = { name: 'PASSWORD', type: 'secretString', status: 'ready' }
    const first = await startEmulator(t, { database })
    await set(first.sdk, [{ name: 'PASSWORD', type: 'secretString', value: 'open-sesame' }])
    assert.deepEqual(await list(first.sdk), [secret])
    await set(first.sdk, [{ name: 'PASSWORD', value: 'close-sesame' }])
    assert.deepEqual(await list(first.sdk), [secret], 'it stays a secret')
    await first.stop()

    const { sdk, get } = await startEmulator(t, { database })
    t.after(() => rm(directory, { recursive: true }))

    assert.deepEqual(await list(sdk), [secret], 'after a restart')
    assert.doesNotMatch(JSON.stringify((await get(`${path}/variables`)).body), /sesame/)
    await assert.rejects(set(sdk, [{ name: 'PASSWORD', type: 'secretString', value: 'sesame'.repeat(100) }]), {
      code: 'ERROR_SET_VARIABLES',
      message: / - Validation Error\(s\): \[0\]\.value \(\*\*\*\*\) must not be longer than 500 characters$/,
    })
    await set(sdk, [{ name: 'PASSWORD', type: 'secretString', value: '' }])
    assert.deepEqual(await list(sdk), [])
  })

  test(`a variable of the ${owner} for one service is another one than that for all`, async t => {
    const { sdk } = await startEmulator(t)
    const forAll = { name: 'LEVEL', type: 'string', value: 'all', status: 'ready' }
    const forOne = { name: 'LEVEL', type: 'string', value: 'one', service, status: 'ready' }

    await set(sdk, [{ name: 'LEVEL', value: 'all' }, { name: 'LEVEL', value: 'one', service }])
    assert.deepEqual(await list(sdk), [forAll, forOne])

    await set(sdk, [{ name: 'LEVEL', value: '' }])
    assert.deepEqual(await list(sdk), [forOne])
  })

  test(`mistakes in variables of the ${owner} are shown with fields and values, and change nothing`, async t => {
    const { sdk, url } = await startEmulator(t)

    await assert.rejects(set(sdk, [
      { name: 'GOOD', value: 'x' },
      { name: '1_BAD', value: 'x' },
      { name: 'GOOD', value: 'y' },
    ]), error => {
      assert.equal(error.code, 'ERROR_SET_VARIABLES')
      assert.equal(error.message, '[CloudManagerSDK:ERROR_SET_VARIABLES] Cannot set variables: ' +
        `${url}${path}/variables (400 Bad Request) - Validation Error(s): ` +
        '[1].name (1_BAD) must match [a-zA-Z_][a-zA-Z_0-9]* and have 2 to 100 characters, ' +
        '[2].name (GOOD) is listed twice')
      assert.deepEqual(Object.keys(error.sdkDetails.validationErrors), ['[1].name', '[2].name'])
      assert.ok(error.sdkDetails.requestId)
      return true
    })

    assert.deepEqual(await list(sdk), [])
  })

  test(`a variable of the ${owner} keeps its type`, async t => {
    const { sdk } = await startEmulator(t)
    await set(sdk, [{ name: 'LEVEL', value: 'x' }])

    await assert.rejects(set(sdk, [{ name: 'LEVEL', type: 'secretString', value: 'y' }]), {
      code: 'ERROR_SET_VARIABLES',
      message: / \[0\]\.type \(secretString\) the type of a variable can't be changed; delete the variable first$/,
    })

    assert.deepEqual(await list(sdk), [{ name: 'LEVEL', type: 'string', value: 'x', status: 'ready' }])
  })

  test(`the ${owner} has at most 200 variables`, async t => {
    const { sdk } = await startEmulator(t)
    const variables = Array.from({ length: 201 }, (_, index) => ({ name: `V_${index}`, value: 'x' }))

    await assert.rejects(set(sdk, variables), { message: / there can't be more than 200 variables$/ })
    assert.equal((await list(sdk)).length, 0)
    await set(sdk, variables.slice(1))
    assert.equal((await list(sdk)).length, 200)
  })
}

test('an environment has variables for author, publish and preview only', async t => {
  const { sdk } = await startEmulator(t)
  const set = service => sdk.setEnvironmentVariables('4', '59252', [{ name: 'LEVEL', value: service, service }])

  for (const service of ['author', 'publish', 'preview']) await set(service)
  await assert.rejects(set('dispatcher'), {
    code: 'ERROR_SET_VARIABLES',
    message: / - Validation Error\(s\): \[0\]\.service \(dispatcher\) must be one of author, publish, preview$/,
  })

  const variables = await sdk.getEnvironmentVariables('4', '59252')
  assert.deepEqual(variables.map(({ service }) => service), ['author', 'preview', 'publish'])
})

test('an unknown type of a variable is refused with the types that there are', async t => {
  const { sdk } = await startEmulator(t)
  await assert.rejects(sdk.setPipelineVariables('4', '1', [{ name: 'LEVEL', type: 'secret', value: 'x' }]), {
    code: 'ERROR_SET_VARIABLES',
    message: / - Validation Error\(s\): .*\(secret\) must be one of string, secretString$/,
  })
  assert.deepEqual(await sdk.getPipelineVariables('4', '1'), [])
})

test('variables of a pipeline are set while it runs', async t => {
  const { sdk } = await startEmulator(t)
  await sdk.createExecution('4', '1')
  await sdk.setPipelineVariables('4', '1', [{ name: 'LEVEL', value: 'x' }])
  assert.equal((await sdk.getPipelineVariables('4', '1')).length, 1)
})
