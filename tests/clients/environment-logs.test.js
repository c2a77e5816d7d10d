// Logs of environments, downloaded by the SDK, which unpacks them into files.

import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { startEmulator } from './emulator.js'
import { findHref } from './execution.js'

const LOGS = '/api/program/4/environment/59252/logs'

test('a log is downloaded for today and each of the days before, and that of today is what the tail shows', async t => {
  const { sdk, url, get } = await startEmulator(t)
  const directory = await makeDirectory(t)
  const dates = ['2024-05-01', '2024-04-30', '2024-04-29']

  const downloaded = await sdk.downloadLogs('4', '59252', 'author', 'aemerror', 2, directory)

  const files = dates.map(date => `59252-author-aemerror-${date}.log`)
  assert.deepEqual(downloaded.map(({ service, name, date, index, path, url }) =>
    ({ service, name, date, index, path, url })), dates.map((date, position) => ({
    service: 'author',
    name: 'aemerror',
    date,
    index: 0,
    path: `${directory}/${files[position]}`,
    url: `${url}${LOGS}/download?service=author&name=aemerror&date=${date}`,
  })))
  assert.deepEqual(await readdir(directory), files.toSorted())
  const [today, yesterday] = await Promise.all(files.map(file => readFile(join(directory, file), 'utf8')))

  const { body } = await get(`${LOGS}?service=author&name=aemerror&days=1`)
  const tail = await fetch(findHref(body._embedded.downloads[0], 'logs/tail'))
  assert.equal(today, await tail.text())
  assertLines(today, /^01\.05\.2024 0\d:\d\d:\d\d\.\d{3} \*[A-Z]+\* \[/)
  assertLines(yesterday, /^30\.04\.2024 \d\d:\d\d:\d\d\.\d{3} \*[A-Z]+\* \[/)
  assert.match(yesterday, /^30\.04\.2024 00:00:.*\n30\.04\.2024 23:59:.*\n$/s, 'a whole day')
})

test('every log that is an option is downloaded', async t => {
  const { sdk } = await startEmulator(t)
  const directory = await makeDirectory(t)
  const options = await sdk.listAvailableLogOptions('4', '59252')
  assert.equal(options.length, 9)

  for (const { service, name } of options) {
    const [{ path }] = await sdk.downloadLogs('4', '59252', service, name, 1, directory)
    assert.equal(path, `${directory}/59252-${service}-${name}-2024-05-01.log`)
    assertLines(await readFile(path, 'utf8'), /\b(01\.05\.2024|01\/May\/2024|Wed May 01)\b/)
  }
})

test('a log grows, and days that are over do not change', async t => {
  const { sdk, advanceClock } = await startEmulator(t)
  const directory = await makeDirectory(t)
  const download = async () => {
    const downloaded = await sdk.downloadLogs('4', '59252', 'publish', 'aemrequest', 1, directory)
    return Promise.all(downloaded.map(({ path }) => readFile(path, 'utf8')))
  }

  const [today, yesterday] = await download()
  await advanceClock('PT1H')
  const [later, yesterdayLater] = await download()
  await advanceClock('P1D')
  const [, complete] = await download()

  assert.ok(later.startsWith(today) && later.length > today.length)
  assert.ok(complete.startsWith(later) && complete.length > later.length)
  assert.equal(yesterdayLater, yesterday)
})

test('each environment has its own logs', async t => {
  const { sdk } = await startEmulator(t)
  const directory = await makeDirectory(t)
  const download = async environmentId => {
    const [{ path }] = await sdk.downloadLogs('4', environmentId, 'author', 'aemaccess', 1, directory)
    return readFile(path, 'utf8')
  }
  assert.notEqual(await download('59252'), await download('59253'))
})

test('the directory is made if it is not there', async t => {
  const { sdk } = await startEmulator(t)
  const directory = join(await makeDirectory(t), 'logs')
  await sdk.downloadLogs('4', '59252', 'author', 'aemaccess', 1, directory)
  assert.deepEqual((await readdir(directory)).toSorted(),
    ['59252-author-aemaccess-2024-04-30.log', '59252-author-aemaccess-2024-05-01.log'])
})

// The SDK asks for one service and one log at a time.
test('several services and logs are listed at once', async t => {
  const { get } = await startEmulator(t)
  const list = async query => {
    const { status, body } = await get(`${LOGS}?${query}`)
    assert.equal(status, 200, JSON.stringify(body))
    return body._embedded.downloads.map(({ service, name, date }) => `${service} ${name} ${date}`)
  }

  assert.deepEqual(await list('service=author&service=publish&name=aemerror&name=aemaccess&days=1'), [
    'author aemerror 2024-05-01', 'author aemerror 2024-04-30',
    'author aemaccess 2024-05-01', 'author aemaccess 2024-04-30',
    'publish aemerror 2024-05-01', 'publish aemerror 2024-04-30',
    'publish aemaccess 2024-05-01', 'publish aemaccess 2024-04-30',
  ])
  assert.equal((await list('service=dispatcher&days=1')).length, 6)
  assert.equal((await list('days=30')).length, 279)
})

for (const { mistake, service = 'author', name = 'aemerror', days = 1, message } of [
  { mistake: 'an unknown service', service: 'golive', message: 'service (golive) is not a service of a log' },
  { mistake: 'an unknown log', name: 'nolog', message: 'name (nolog) is not a name of a log' },
  { mistake: 'a log of another service', name: 'httpdaccess', message: 'name (httpdaccess) is not a log of the service' },
  { mistake: 'no days', days: 0, message: 'days (0) must be a whole number from 1 to 30' },
  { mistake: 'too many days', days: 31, message: 'days (31) must be a whole number from 1 to 30' },
]) {
  test(`${mistake} is refused with field and value`, async t => {
    const { sdk, url } = await startEmulator(t)
    const directory = await makeDirectory(t)

    await assert.rejects(sdk.downloadLogs('4', '59252', service, name, days, directory), {
      code: 'ERROR_GET_LOGS',
      message: '[CloudManagerSDK:ERROR_GET_LOGS] Cannot get logs: ' +
        `${url}${LOGS}?service=${service}&name=${name}&days=${days} (400 Bad Request)` +
        ` - Validation Error(s): ${message}.`,
    })

    assert.deepEqual(await readdir(directory), [])
  })
}

async function makeDirectory (t) {
  const directory = await mkdtemp(join(tmpdir(), 'cloudmanager-'))
  t.after(() => rm(directory, { recursive: true }))
  return directory
}

function assertLines (log, pattern) {
  assert.ok(log.endsWith('\n'), log)
  for (const line of log.trimEnd().split('\n')) assert.match(line, pattern)
}
