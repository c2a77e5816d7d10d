// A published script in small: the hosts are built in, the emulator is unknown to it.
// Its argument is the HTTP client that it uses.
'use strict'

const assert = require('node:assert')

const IMS = 'https://ims-na1.adobelogin.com'
const API = 'https://cloudmanager.adobe.io'
const ORGANISATION = '1234567890ABCDEF12345678@AdobeOrg'

// Each sends a request and follows redirects: its status, headers and text.
const clients = {
  async fetch (url, options) {
    return readResponse(await fetch(url, options))
  },
  async undici (url, options) {
    return readResponse(await require('undici').fetch(url, options))
  },
  async 'node-fetch' (url, options) {
    return readResponse(await require('node-fetch')(url, options))
  },
  https (url, options) {
    return new Promise((resolve, reject) => {
      const request = require('node:https').request(url, options, (response) => {
        const { statusCode: status, headers } = response
        if (status >= 300 && status < 400) {
          response.resume()
          resolve(clients.https(headers.location, { method: 'GET' }))
          return
        }
        let text = ''
        response.setEncoding('utf8').on('data', (chunk) => { text += chunk })
        response.on('end', () => resolve({ status, location: headers.location, text }))
      })
      request.on('error', reject)
      request.end(options.body && String(options.body))
    })
  },
  'axios-0.21': (url, options) => callAxios(require('axios-0.21'), url, options),
  'axios-1.7': (url, options) => callAxios(require('axios-1.7'), url, options)
}

async function readResponse (response) {
  const { status, headers } = response
  return { status, location: headers.get('location'), text: await response.text() }
}

async function callAxios (axios, url, { method, headers, body }) {
  const response = await axios({
    url, method, headers, data: body && String(body), responseType: 'text', transformResponse: (text) => text
  })
  return { status: response.status, location: response.headers.location, text: response.data }
}

async function main () {
  const call = clients[process.argv[2]]
  const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: 'ci', client_secret: 's3cret' })
  const token = await call(`${IMS}/ims/token/v3`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body
  })
  const headers = {
    authorization: `Bearer ${JSON.parse(token.text).access_token}`,
    'x-api-key': 'ci',
    'x-gw-ims-org-id': ORGANISATION,
    // axios would ask for JSON, and get the URL of a log instead of a redirect.
    accept: '*/*'
  }
  const started = await call(`${API}/api/program/4/pipeline/3/execution`, { method: 'PUT', headers })
  assert.strictEqual(started.status, 201)
  assert(started.location.startsWith(`${API}/api/program/4/`), started.location)
  const execution = JSON.parse((await call(started.location, { method: 'GET', headers })).text)
  const build = execution._embedded.stepStates.find(({ action }) => action === 'build')
  const { href } = build._links['http://ns.adobe.com/adobecloud/rel/pipeline/logs']
  const log = await call(new URL(href, API).href, { method: 'GET', headers })
  assert.strictEqual(log.status, 200)
  assert(log.text.includes('BUILD SUCCESS'), log.text)
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
