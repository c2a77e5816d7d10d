// A service account that exchanges a JWT for a token, with Adobe's own client.

import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import test from 'node:test'
import cloudManager from '@adobe/aio-lib-cloudmanager'
import authorize from '@adobe/jwt-auth'
import { ORGANISATION, startEmulator } from './emulator.js'

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})

const account = {
  clientId: 'emulator',
  clientSecret: 'emulator',
  technicalAccountId: 'emulator@techacct.adobe.com',
  orgId: ORGANISATION,
  privateKey,
  metaScopes: ['ent_cloudmgr_sdk'],
}

test('a service account exchanges its JWT for a token', async t => {
  const { url } = await startEmulator(t, { auth: 'strict' })

  const { access_token: token, expires_in: expiresIn } = await authorize({ ...account, ims: url })

  assert.equal(expiresIn, 86399000)
  const sdk = await cloudManager.init(ORGANISATION, account.clientId, token, url)
  assert.deepEqual((await sdk.listPrograms()).map(({ id }) => id), ['4', '5'])
})

test('a service account with a wrong secret, or another organisation, gets none', async t => {
  const { url } = await startEmulator(t, { auth: 'strict' })

  await assert.rejects(authorize({ ...account, clientSecret: 'wrong', ims: url }),
    { code: 'invalid_client', message: 'invalid client_secret parameter' })
  await assert.rejects(authorize({ ...account, orgId: 'Other@AdobeOrg', ims: url }),
    { code: 'bad_request', message: "the claim iss is not the client's organization" })
})
