// Today's log of an environment, followed by the SDK. Its tail has no end of its own; here the
// environment is deleted under it.

import assert from 'node:assert/strict'
import test from 'node:test'
import { startEmulator } from './emulator.js'
import { findHref } from './execution.js'
import { tail } from './tail.js'

const ENVIRONMENT = '/api/program/4/environment/59252'

/** How long the SDK waits for further lines, in milliseconds. */
const PAUSE = 2000

test('only lines written since the tail began arrive, as the clock goes on', async t => {
  const { sdk, get, advanceClock } = await startEmulator(t)
  setClockOfThisMachine(t, '10:00:00')
  const url = await findTailUrl(get, 'author', 'aemerror')
  const before = await read(url)
  let now = before

  const { error, printed } = await tail(t, {
    pause: PAUSE,
    duringPause: async (printed, number) => {
      now = await read(url)
      assert.equal(before + printed, now, 'all that there is now')
      if (number > 3) return sdk.deleteEnvironment('4', '59252')
      await advanceClock('PT2M')
      assert.ok((await read(url)).length > now.length, 'it grows')
    },
  }, output => sdk.tailLog('4', '59252', 'author', 'aemerror', output))

  assert.equal(error?.code, 'ERROR_FIND_LOG')
  assert.equal(error.message, `[CloudManagerSDK:ERROR_FIND_LOG] Log not found: ${url} (404 Not Found)`)
  assert.notEqual(printed, '')
  assert.equal(before + printed, now)
  for (const line of printed.trimEnd().split('\n')) assert.match(line, /^01\.05\.2024 10:0[0-6]:/)
})

test('the tail goes over to the next day at midnight', async t => {
  const { sdk, get, advanceClock } = await startEmulator(t)
  await advanceClock('PT13H59M')
  setClockOfThisMachine(t, '23:59:00')
  const ofToday = await findTailUrl(get, 'publish', 'aemaccess')
  let ofTomorrow
  let missed

  const { error, printed } = await tail(t, {
    pause: PAUSE,
    duringPause: async printed => {
      if (printed) return sdk.deleteEnvironment('4', '59252')
      await advanceClock('PT2M')
      ofTomorrow ??= await findTailUrl(get, 'publish', 'aemaccess')
      missed ??= await read(ofTomorrow)
    },
  }, output => sdk.tailLog('4', '59252', 'publish', 'aemaccess', output))

  assert.equal(error?.code, 'ERROR_GET_LOGS', 'it looks for a newer log after each pause')
  assert.notEqual(ofTomorrow, ofToday)
  for (const line of missed.trimEnd().split('\n')) assert.match(line, / 02\/May\/2024:00:00:\d\d /)
  for (const line of printed.trimEnd().split('\n')) assert.match(line, / 02\/May\/2024:00:0[1-4]:\d\d /)
})

test('the address of a tail needs no credentials and answers HEAD and Range', async t => {
  const { get, advanceClock } = await startEmulator(t)
  const url = await findTailUrl(get, 'dispatcher', 'httpdaccess')
  const log = await read(url)
  const size = Buffer.byteLength(log)
  const lengthOf = response => Number(response.headers.get('content-length'))

  const head = await fetch(url, { method: 'HEAD' })
  assert.equal(head.status, 200)
  assert.equal(lengthOf(head), size)
  assert.equal(head.headers.get('content-encoding'), null)

  const part = await fetch(url, { headers: { range: `bytes=${size - 10}-` } })
  assert.equal(part.status, 206)
  assert.equal(part.headers.get('content-range'), `bytes ${size - 10}-${size - 1}/${size}`)
  assert.equal(lengthOf(part), 10)
  assert.equal(await part.text(), log.slice(-10))

  const nothing = await fetch(url, { headers: { range: `bytes=${size}-` } })
  assert.equal(nothing.status, 416)
  assert.equal(nothing.headers.get('content-range'), `bytes */${size}`)

  await advanceClock('PT2M')
  const grown = await fetch(url, { headers: { range: `bytes=${size}-` } })
  assert.equal(grown.status, 206)
  assert.equal(log + await grown.text(), await read(url))
})

test('only the log of today can be tailed', async t => {
  const { get } = await startEmulator(t)
  const { body } = await get(`${ENVIRONMENT}/logs?service=author&name=aemerror&days=2`)
  const { downloads } = body._embedded
  assert.deepEqual(downloads.map(({ date }) => date), ['2024-05-01', '2024-04-30', '2024-04-29'])
  assert.deepEqual(downloads.map(download => Boolean(findHref(download, 'logs/tail'))), [true, false, false])
})

test('a log that an environment does not have is not tailed', async t => {
  const { sdk, url } = await startEmulator(t)
  const { error, printed } = await tail(t, { pause: PAUSE },
    output => sdk.tailLog('4', '59252', 'dispatcher', 'aemerror', output))
  assert.equal(error?.code, 'ERROR_GET_LOGS')
  assert.equal(error.message, '[CloudManagerSDK:ERROR_GET_LOGS] Cannot get logs: ' +
    `${url}${ENVIRONMENT}/logs?service=dispatcher&name=aemerror&days=1 (400 Bad Request)` +
    ' - Validation Error(s): name (aemerror) is not a log of the service.')
  assert.equal(printed, '')
})

/** Within five minutes of midnight by the clock of its own machine, the SDK looks for a newer log. */
const setClockOfThisMachine = (t, time) =>
  t.mock.method(Date, 'now', () => Date.parse(`2024-05-01T${time}Z`))

async function findTailUrl (get, service, name) {
  const { body } = await get(`${ENVIRONMENT}/logs?service=${service}&name=${name}&days=1`)
  return findHref(body._embedded.downloads[0], 'logs/tail')
}

const read = async url => (await fetch(url)).text()
