// Real zip files as artifacts of builds: uploaded, built, deployed and downloaded again.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import test from 'node:test'
import { FIRST_EXECUTION_ID, startEmulator } from './emulator.js'
import { findStep, readStepLog } from './execution.js'

/** The head of the branch that the pipeline to dev builds. */
const COMMIT = '7f0c3f8a1d7b5e2b0a4c6d9e8f71625344a5b6c7'

const zip = name => readFile(new URL(`../it/fixtures/artifacts/${name}.zip`, import.meta.url))

test('an uploaded file is built, deployed and downloaded byte for byte', async t => {
  const { sdk, url, get } = await startEmulator(t, { pace: 'immediate' })
  const dispatcher = await zip('dispatcher')
  await upload(url, 'acme.dispatcher.zip', dispatcher)

  await sdk.createExecution('4', '2')

  const execution = await sdk.getExecution('4', '2', FIRST_EXECUTION_ID)
  assert.equal(execution.status, 'FINISHED')
  const { artifacts } = (await get(`${findStep(execution, 'build')._links.self.href}/artifacts`)).body._embedded
  assert.deepEqual(artifacts.map(({ file, type }) => [file, type]), [['acme.dispatcher.zip', 'DISPATCHER_CONFIGURATION']])
  assert.deepEqual(await download(get, artifacts[0]._links.self.href), dispatcher)
  const log = await readStepLog(sdk, '4', '2', FIRST_EXECUTION_ID, 'deploy')
  assert.match(log, /Dispatcher artifact acme\.dispatcher\.zip\n/)
})

test('a deployment of uploaded packages fails if one that they need is missing', async t => {
  const { sdk, url } = await startEmulator(t, { pace: 'immediate' })
  await upload(url, 'content.zip', await zip('java'))

  await sdk.createExecution('4', '2')

  const execution = await sdk.getExecution('4', '2', FIRST_EXECUTION_ID)
  assert.equal(execution.status, 'FAILED')
  assert.equal(findStep(execution, 'deploy dev').details.message,
    'content.zip depends on com.acme:acme.ui.apps:[1.4,2), which is neither in the build nor on the instances')
})

async function upload (url, file, body) {
  const path = `/_emulator/program/4/repository/1/commit/${COMMIT}/artifacts/${file}`
  const response = await fetch(url + path, { method: 'PUT', body })
  assert.equal(response.status, 201, await response.text())
}

/** What an artifact's link leads to. */
async function download (get, href) {
  const { body } = await get(href, { accept: 'application/json' })
  const response = await fetch(body.redirect)
  return Buffer.from(await response.arrayBuffer())
}
