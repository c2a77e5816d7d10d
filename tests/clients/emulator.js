// Runs the emulator's binary for one test, with a clock that moves only when told to.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import cloudManager from '@adobe/aio-lib-cloudmanager'

export const BINARY = process.env.CME_BINARY ??
  fileURLToPath(new URL('../../target/debug/cloudmanager-emulator', import.meta.url))

export const ORGANISATION = '1234567890ABCDEF12345678@AdobeOrg'
const API_KEY = 'client-tests'
const ACCESS_TOKEN = 'any-token'

export const USER = `${API_KEY}@techacct.adobe.com`
export const FIRST_EXECUTION_ID = '953671'

/** A time of the day on which every emulator's clock starts, at 10:00:00, as the API writes it. */
export const at = time => `2024-05-01T${time}.000+0000`

// The SDK obeys the proxy variables, and no proxy leads back to this machine.
process.env.no_proxy = '127.0.0.1'

/**
 * Starts an emulator that stops with the test `t`; without a `database` file it keeps nothing, and
 * without a `seed` file it has the demo data.
 */
export async function startEmulator (t, { pace = 'quick', database, seed, auth = 'open' } = {}) {
  const child = spawn(BINARY, [
    '--listen', '127.0.0.1:0',
    ...(database ? ['--database', database] : ['--ephemeral']),
    ...(seed ? ['--seed', seed] : []),
    '--pace', pace,
    '--auth', auth,
    '--clock-rate', '0',
    '--clock-start', at('10:00:00'),
  ], { stdio: ['ignore', 'pipe', 'pipe'] })
  const log = text(child.stderr)
  const closed = once(child, 'close')
  const stdout = createInterface({ input: child.stdout })
  const printed = []
  stdout.on('line', line => printed.push(line))

  let stopping
  const stop = () => {
    stopping ??= (async () => {
      child.kill('SIGTERM')
      const [code, signal] = await closed
      assert.deepEqual({ code, signal }, { code: 0, signal: null }, await log)
      assert.equal(printed.length, 1, 'only the address is printed')
    })()
    return stopping
  }
  t.after(stop)

  const [firstLine] = await Promise.race([
    once(stdout, 'line'),
    closed.then(async ([code]) => assert.fail(`the emulator exited with ${code}: ${await log}`)),
  ])
  assert.match(firstLine, /^listening on http:\/\/127\.0\.0\.1:\d+$/)
  const url = firstLine.replace('listening on ', '')
  const sdk = await cloudManager.init(ORGANISATION, API_KEY, ACCESS_TOKEN, url)
  /** The SDK with a token that the emulator gives to a client. */
  const signIn = async (clientId, clientSecret) => {
    const token = await requestToken(url, clientId, clientSecret)
    return cloudManager.init(ORGANISATION, clientId, token, url)
  }
  return { url, sdk, signIn, stop, ...plainApi(url), ...control(url) }
}

/** A token as clients get it from IMS. */
async function requestToken (url, clientId, clientSecret) {
  const response = await fetch(`${url}/ims/token/v3`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      scope: 'openid,AdobeID,read_organizations',
    }),
  })
  const answer = await response.json()
  assert.equal(response.status, 200, JSON.stringify(answer))
  assert.deepEqual({ ...answer, access_token: '' }, { access_token: '', token_type: 'bearer', expires_in: 86399 })
  return answer.access_token
}

/** The API without the SDK, for what the SDK can't do or doesn't show. */
function plainApi (url) {
  const headers = {
    'x-gw-ims-org-id': ORGANISATION,
    'x-api-key': API_KEY,
    authorization: `Bearer ${ACCESS_TOKEN}`,
  }
  return {
    get: (href, more) => request('GET', url + href, { headers: { ...headers, ...more } }),
    put: (href, body) => request('PUT', url + href, { headers, body }),
  }
}

/** The control API. */
function control (url) {
  const call = async (method, path, body) => {
    const answer = await request(method, `${url}/_emulator${path}`, { body })
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    return answer.body
  }
  return {
    health: () => call('GET', '/health'),
    /** Moves the clock by a duration or, without one, to the next thing that is due. */
    advanceClock: by => call('POST', '/clock/advance', { by }),
    post: async (path, body) => {
      const answer = await request('POST', `${url}/_emulator${path}`, { body })
      assert.equal(answer.status, 201, JSON.stringify(answer.body))
      return answer.body
    },
    addSeed: seed => call('POST', '/seed', seed),
    setScenario: (programId, pipelineId, scenario) =>
      call('PUT', `/program/${programId}/pipeline/${pipelineId}/scenario`, scenario),
    explain: (programId, pipelineId, executionId) =>
      call('GET', `/program/${programId}/pipeline/${pipelineId}/execution/${executionId}/explain`),
  }
}

async function request (method, url, { headers, body }) {
  const response = await fetch(url, {
    method,
    headers: body ? { ...headers, 'content-type': 'application/json' } : headers,
    body: body && JSON.stringify(body),
  })
  const content = await response.text()
  return { status: response.status, headers: response.headers, body: content && JSON.parse(content) }
}
