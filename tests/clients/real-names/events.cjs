// @adobe/aio-lib-events verifies a delivery, with keys that it fetches from its fixed host.
'use strict'

const assert = require('node:assert')
const { createServer } = require('node:http')
const { once } = require('node:events')

const CLIENT = 'ci'

// The library keeps keys in a state service; this one has none and takes all.
const state = createServer((request, response) => {
  request.resume()
  response.statusCode = request.method === 'GET' ? 404 : 201
  response.end()
})

async function listen (server) {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${server.address().port}`
}

async function main () {
  process.env.AIO_STATE_ENDPOINT = await listen(state)
  process.env.__OW_NAMESPACE = 'namespace'
  process.env.__OW_API_KEY = 'key'
  let deliver
  const delivered = new Promise((resolve) => { deliver = resolve })
  const receiver = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    const challenge = new URL(request.url, 'http://localhost').searchParams.get('challenge')
    response.end(challenge ?? 'thanks')
    if (request.method === 'POST') deliver({ headers: request.headers, body })
  })
  const url = `${await listen(receiver)}/`
  const emulator = process.env.CLOUDMANAGER_URL
  const subscribed = await fetch(`${emulator}/_emulator/webhooks`, {
    method: 'POST',
    body: JSON.stringify({ tenantId: '1', clientId: CLIENT, clientSecret: 's3cret', url, events: ['all'] })
  })
  assert.strictEqual(subscribed.status, 201, await subscribed.text())
  const started = await fetch('https://cloudmanager.adobe.io/api/program/4/pipeline/3/execution', {
    method: 'PUT',
    headers: {
      authorization: 'Bearer token',
      'x-api-key': CLIENT,
      'x-gw-ims-org-id': '1234567890ABCDEF12345678@AdobeOrg'
    }
  })
  assert.strictEqual(started.status, 201)
  const { headers, body } = await delivered

  const { init } = require('@adobe/aio-lib-events')
  const events = await init('1234567890ABCDEF12345678@AdobeOrg', CLIENT, 'token')
  const signatures = {
    digiSignature1: headers['x-adobe-digital-signature-1'],
    digiSignature2: headers['x-adobe-digital-signature-2'],
    publicKeyPath1: headers['x-adobe-public-key1-path'],
    publicKeyPath2: headers['x-adobe-public-key2-path']
  }
  const verify = (text) => events.verifyDigitalSignatureForEvent(text, CLIENT, signatures)
  assert.strictEqual(await verify(body), true)
  assert.notStrictEqual(await verify(body.replace('started', 'ended')), true)
  process.exit(0)
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
