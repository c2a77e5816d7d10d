// Pipelines changed by the SDK, which sends back whole phases of the list.

import assert from 'node:assert/strict'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { FIRST_EXECUTION_ID, startEmulator } from './emulator.js'
import { findStep } from './execution.js'

const seed = fileURLToPath(new URL('two-of-each.seed.yaml', import.meta.url))
const start = t => startEmulator(t, { seed, pace: 'immediate' })

const MAIN = '21eeb31e59b0cab98e42c700ce7d2fc98828e947'
const MAIN_OF_SECOND = '3c1f0b9d8e7a6f5544332211ffeeddccbbaa0099'
const DEVELOP = '7f0c3f8a1d7b5e2b0a4c6d9e8f71625344a5b6c7'
const RELEASE = 'becdddb0c6f84f0b8b1f1ab0e2d2c2b9b3f7a101'

for (const { what, changes, build } of [{
  what: 'branch',
  changes: { branch: 'develop' },
  build: { repository: 'first', branch: 'develop', commitId: DEVELOP },
}, {
  what: 'branch to a tag',
  changes: { branch: 'refs/tags/release-1.0' },
  build: { repository: 'first', branch: 'refs/tags/release-1.0', commitId: RELEASE },
}, {
  what: 'repository',
  changes: { repositoryId: '2' },
  build: { repository: 'second', branch: 'main', commitId: MAIN_OF_SECOND },
}]) {
  test(`the ${what} of a pipeline is changed and built by the next execution`, async t => {
    const { sdk } = await start(t)
    const before = await getPhases(sdk, '1')

    const updated = await sdk.updatePipeline('4', '1', changes)

    const phases = await getPhases(sdk, '1')
    assert.deepEqual(updated.phases, phases)
    assert.deepEqual(phases, before.map(phase => phase.type === 'BUILD' ? { ...phase, ...changes } : phase))
    await sdk.createExecution('4', '1')
    const { repository, branch, commitId } = findStep(await getFirst(sdk, '1'), 'build')
    assert.deepEqual({ repository, branch, commitId }, build)
  })
}

for (const { type, pipelineId, key, environmentId, environment } of [
  { type: 'dev', pipelineId: '2', key: 'devEnvironmentId', environmentId: '12', environment: 'dev-two' },
  { type: 'stage', pipelineId: '1', key: 'stageEnvironmentId', environmentId: '22', environment: 'stage-two' },
  { type: 'prod', pipelineId: '1', key: 'prodEnvironmentId', environmentId: '32', environment: 'prod-two' },
]) {
  test(`the ${type} environment of a pipeline is changed and deployed to by the next execution`, async t => {
    const { sdk } = await start(t)
    const before = await getPhases(sdk, pipelineId)

    const updated = await sdk.updatePipeline('4', pipelineId, { [key]: environmentId })

    const phases = await getPhases(sdk, pipelineId)
    assert.deepEqual(updated.phases, phases)
    assert.deepEqual(phases, before.map(phase =>
      phase.environmentType === type ? { ...phase, environmentId } : phase))
    await sdk.createExecution('4', pipelineId)
    const step = findStep(await getFirst(sdk, pipelineId), `deploy ${type}`)
    assert.equal(step.environmentId, environmentId)
    assert.equal(step.environment, environment)
  })
}

test('everything is changed at once', async t => {
  const { sdk } = await start(t)
  await sdk.updatePipeline('4', '1',
    { repositoryId: '2', branch: 'main', stageEnvironmentId: '22', prodEnvironmentId: '32' })

  const phases = await getPhases(sdk, '1')
  assert.deepEqual(phases.map(({ type, repositoryId, branch, environmentId }) =>
    ({ type, repositoryId, branch, environmentId })), [
    { type: 'VALIDATE', repositoryId: undefined, branch: undefined, environmentId: undefined },
    { type: 'BUILD', repositoryId: '2', branch: 'main', environmentId: undefined },
    { type: 'DEPLOY', repositoryId: undefined, branch: undefined, environmentId: '22' },
    { type: 'DEPLOY', repositoryId: undefined, branch: undefined, environmentId: '32' },
  ])
})

test('an update without changes changes nothing', async t => {
  const { sdk } = await start(t)
  const before = await getPhases(sdk, '1')
  assert.deepEqual((await sdk.updatePipeline('4', '1', {})).phases, before)
  assert.deepEqual(await getPhases(sdk, '1'), before)
})

test('a branch that does not exist fails the next validation, which says so', async t => {
  const { sdk } = await start(t)
  await sdk.updatePipeline('4', '1', { branch: 'no-such-branch' })

  await sdk.createExecution('4', '1')

  const execution = await getFirst(sdk, '1')
  assert.equal(execution.status, 'FAILED')
  const validation = findStep(execution, 'validate')
  assert.equal(validation.status, 'FAILED')
  assert.equal(validation.details.message, 'no-such-branch does not exist in the repository first.')
})

for (const { mistake, changes, message } of [{
  mistake: 'an unknown repository',
  changes: { repositoryId: '99' },
  message: 'phases[0].repositoryId (99) the program has no such repository',
}, {
  mistake: 'an unknown environment',
  changes: { stageEnvironmentId: '99' },
  message: 'phases[0].environmentId (99) the program has no such environment',
}, {
  mistake: 'an environment of another type',
  changes: { stageEnvironmentId: '11' },
  message: 'phases[0].environmentId (11) must be a stage environment',
}, {
  mistake: 'a mistake beside a right change',
  changes: { branch: 'develop', prodEnvironmentId: 'none' },
  message: 'phases[1].environmentId (none) the program has no such environment',
}]) {
  test(`${mistake} is refused with field and value, and changes nothing`, async t => {
    const { sdk, url } = await start(t)
    const before = await getPhases(sdk, '1')

    await assert.rejects(sdk.updatePipeline('4', '1', changes), {
      code: 'ERROR_UPDATE_PIPELINE',
      message: '[CloudManagerSDK:ERROR_UPDATE_PIPELINE] Cannot update pipeline: ' +
        `${url}/api/program/4/pipeline/1 (400 Bad Request) - Validation Error(s): ${message}`,
    })

    assert.deepEqual(await getPhases(sdk, '1'), before)
  })
}

test('an environment of a type that the pipeline does not deploy to is refused', async t => {
  const { sdk } = await start(t)
  await assert.rejects(sdk.updatePipeline('4', '1', { devEnvironmentId: '12' }), { code: 'ERROR_NO_DEPLOY_PHASE' })
})

test('a pipeline that runs is not changed', async t => {
  const { sdk, url } = await startEmulator(t, { seed })
  const before = await getPhases(sdk, '1')
  await sdk.createExecution('4', '1')

  await assert.rejects(sdk.updatePipeline('4', '1', { branch: 'develop' }), {
    code: 'ERROR_UPDATE_PIPELINE',
    message: '[CloudManagerSDK:ERROR_UPDATE_PIPELINE] Cannot update pipeline: ' +
      `${url}/api/program/4/pipeline/1 (412 Precondition Failed) - In use(s): ` +
      "The pipeline can't be changed or deleted while the pipeline 1 has an unfinished execution; " +
      'wait until it has ended, or cancel it.',
  })

  assert.deepEqual(await getPhases(sdk, '1'), before)
  assert.equal(findStep(await getFirst(sdk, '1'), 'build').commitId, MAIN)
})

async function getPhases (sdk, pipelineId) {
  const pipelines = await sdk.listPipelines('4')
  return pipelines.find(({ id }) => id === pipelineId).original().phases
}

const getFirst = (sdk, pipelineId) => sdk.getExecution('4', pipelineId, FIRST_EXECUTION_ID)
