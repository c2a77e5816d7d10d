// What others wrote is shown as text, and pages of other origins can't change anything.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import test from 'node:test'
import { parse } from 'yaml'
import { launch, openConsole, startEmulator } from './browser.js'
import { on, run, setScenario, started } from './people.js'

const MARKUP = '<img src=x onerror="document.title=1">'

test('the names of pipelines and the lines of logs are text', async t => {
  const { page, url, check, advance } = await openConsole(t, '/program/4/pipelines')
  const phases = [{ type: 'VALIDATE' }, { type: 'BUILD', repositoryId: '1', branch: 'main' }]
  const body = JSON.stringify({ id: '9', name: MARKUP, phases })
  const created = await fetch(`${url}/_emulator/program/4/pipelines`, { method: 'POST', body })
  assert.equal(created.status, 201, await created.text())
  await setScenario(url, '/program/4/pipeline/9', [{ action: 'build', log: [MARKUP, '\u001b[31mred\u001b[0m \u0007'] }])
  await run(page, /onerror/)
  const { card } = on(page)
  await page.getByRole('heading', { name: MARKUP }).waitFor()
  await started(card('Validation'))
  await advance({ by: 'PT1H' })
  await card('Build & Unit Testing').getByRole('button', { name: 'View log' }).click()
  const log = page.getByRole('log')
  await log.getByText(MARKUP).waitFor()
  // Escape sequences are shown, not obeyed.
  await log.getByText('␛[31mred␛[0m ␇').waitFor()
  assert.equal(await page.locator('main img').count(), 0)
  check()
})

test('pages and files have a strict policy, and can’t be framed', async t => {
  const { url } = await startEmulator(t, ['--ephemeral'])
  for (const path of ['/', '/program/4/overview', '/emulator', '/console/main.js']) {
    const { status, headers } = await fetch(url + path)
    assert.equal(status, 200, path)
    const policy = headers.get('content-security-policy')
    assert.match(policy, /default-src 'self'/)
    assert.match(policy, /frame-ancestors 'none'/)
    assert.doesNotMatch(policy, /unsafe/)
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
  }
  assert.equal((await fetch(`${url}/unknown`)).status, 404)
})

/** Returns the operations that may change something, with ids for their paths. */
async function changingOperations (url) {
  const { paths } = parse(await (await fetch(`${url}/openapi.yaml`)).text())
  const ids = { programId: '4', pipelineId: '1', environmentId: '59253', repositoryId: '1', branch: 'main', clientId: 'emulator' }
  return Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods)
    .filter(method => ['put', 'post', 'patch', 'delete'].includes(method))
    .map(method => ({ method: method.toUpperCase(), path: path.replace(/\{(\w+)\}/g, (_, name) => ids[name] ?? '1') })))
}

/** Tries an operation as a page of another origin can, and returns what it could read of the answers. */
async function attack ({ url, operations }) {
  const read = []
  for (const { method, path } of operations) {
    for (const mode of ['cors', 'no-cors']) {
      for (const type of ['application/json', 'text/plain', 'application/x-www-form-urlencoded']) {
        const headers = { 'content-type': type, authorization: 'Bearer x', 'x-api-key': 'x' }
        const request = { method, mode, headers: mode === 'cors' ? headers : { 'content-type': type }, body: '{}' }
        await fetch(url + path, request).then(it => { if (it.type !== 'opaque') read.push([method, path, it.status]) }, () => {})
      }
    }
    if (method !== 'POST') continue
    for (const enctype of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
      const frame = Object.assign(document.createElement('iframe'), { name: `${path}${enctype}` })
      const form = Object.assign(document.createElement('form'), { method, action: url + path, enctype, target: frame.name })
      document.body.append(frame, form)
      form.append(Object.assign(document.createElement('input'), { name: '{"a', value: '":1}' }))
      const loaded = new Promise(resolve => { frame.onload = resolve })
      form.submit()
      await loaded
      frame.remove()
      form.remove()
    }
  }
  return read
}

for (const auth of ['open', 'strict']) {
  test(`a page of another origin changes nothing with ${auth} authentication`, async t => {
    const { url } = await startEmulator(t, ['--ephemeral', '--auth', auth])
    const server = createServer((_, answer) => answer.setHeader('content-type', 'text/html').end('<!doctype html><body>'))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
    const page = await (await launch()).newPage()
    t.after(() => page.close())
    await page.goto(`http://127.0.0.1:${server.address().port}/`)

    const state = async () => Buffer.from(await (await fetch(`${url}/_emulator/state`)).arrayBuffer())
    const operations = await changingOperations(url)
    assert.ok(operations.length > 30, 'the description lists the operations')
    const before = await state()
    await fetch(`${url}/_emulator/faults`, { method: 'POST', body: '{"operation":"startPipeline","status":503}' })
    const readFaults = async () => (await fetch(`${url}/_emulator/faults`)).text()
    const faults = await readFaults()
    assert.deepEqual(await page.evaluate(attack, { url, operations }), [], 'no answer can be read')
    assert.ok(before.equals(await state()), 'the state has changed')
    assert.equal(await readFaults(), faults)

    // The same calls from a page of the emulator do change something.
    await page.goto(`${url}/emulator`)
    await page.evaluate(attack, { url, operations: [{ method: 'DELETE', path: '/_emulator/faults' }] })
    assert.notEqual(await readFaults(), faults)
  })
}
