// Tokens with Adobe's own library for IMS, which calls IMS under another address only if its endpoint is set.

import assert from 'node:assert/strict'
import test from 'node:test'
import cloudManager from '@adobe/aio-lib-cloudmanager'
import aioLibIms from '@adobe/aio-lib-ims'
import { at, ORGANISATION, startEmulator } from './emulator.js'

const CLIENT = 'emulator'
const SECRET = 'emulator'

async function start (t) {
  const emulator = await startEmulator(t, { auth: 'strict' })
  const ims = new aioLibIms.Ims()
  ims.endpoint = emulator.url
  const { access_token: token } = await ims.getAccessTokenByClientCredentials(CLIENT, SECRET, ORGANISATION, ['openid'])
  return { ...emulator, ims, ...token }
}

test('a token has the claims that the library reads, and ends a day later', async t => {
  const { token, expiry, url } = await start(t)

  const { client_id: clientId, type, as } = aioLibIms.getTokenData(token)
  assert.deepEqual({ clientId, type, as }, { clientId: CLIENT, type: 'access_token', as: 'ims-na1' })
  assert.equal(new Date(expiry).toISOString().replace('Z', '+0000'), at('10:00:00').replace('01T', '02T'))
  const { ims } = await aioLibIms.Ims.fromToken(token)
  assert.equal(ims.env, 'prod')
  const sdk = await cloudManager.init(ORGANISATION, CLIENT, token, url)
  assert.equal((await sdk.listPrograms()).length, 2)
})

test('a token is validated, until it has expired', async t => {
  const { ims, token, advanceClock } = await start(t)

  assert.equal((await ims.validateToken(token)).valid, true)
  assert.equal((await ims.validateTokenAllowList(token, [CLIENT])).valid, true)
  assert.equal((await ims.validateTokenAllowList(token, ['another'])).valid, false)
  assert.deepEqual(await ims.validateToken(token, 'another'), { valid: false, reason: 'client_id_mismatch' })

  await advanceClock('P1D')
  assert.deepEqual(await ims.validateToken(token), { valid: false, reason: 'token_expired' })
})

test('an invalidated token is no longer valid', async t => {
  const { ims, token } = await start(t)

  await ims.invalidateToken(token, CLIENT, SECRET)

  assert.deepEqual(await ims.validateToken(token), { valid: false, reason: 'token_invalidated' })
})

test('the organisation of a token is found', async t => {
  const { ims, token } = await start(t)

  const organisations = await ims.getOrganizations(token)

  assert.deepEqual(organisations.map(({ orgRef }) => `${orgRef.ident}@${orgRef.authSrc}`), [ORGANISATION])
  assert.equal((await ims.get('/ims/profile/v1', token)).userId, 'emulator@techacct.adobe.com')
})

test('a wrong secret is refused with the reason', async t => {
  const { ims } = await start(t)

  await assert.rejects(ims.getAccessTokenByClientCredentials(CLIENT, 'wrong', ORGANISATION),
    /^Error: 400 \(Bad Request\): .*invalid client_secret parameter/)
})
