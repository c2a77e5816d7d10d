// The npm SDK without a base URL, with a token from the Adobe IMS library, whose hosts are fixed.
'use strict'

const assert = require('node:assert')

async function main () {
  // What `exec --intercept` sets for the Adobe CLI: the library finds the token there.
  const { getToken } = require('@adobe/aio-lib-ims')
  const token = await getToken('cli')
  const { init } = require('@adobe/aio-lib-cloudmanager')
  const sdk = await init('1234567890ABCDEF12345678@AdobeOrg', 'ci', token)
  const programs = await sdk.listPrograms()
  assert(programs.some(({ name }) => name === 'We.Retail Global'))
  await sdk.startExecution('4', '3')
  const execution = await sdk.getCurrentExecution('4', '3').catch(() => null)
  assert(execution === null || execution.id)
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
