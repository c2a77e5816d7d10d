// Takes the pictures of README.md: the page of an execution of the demo, light and dark.
//
//     CME_BINARY=target/debug/cloudmanager-emulator node tests/console/screenshots.js

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { ARGUMENTS, EXECUTABLE } from './options.js'

// The clock stands still, so that the pictures show the same each time.
const emulator = spawn(process.env.CME_BINARY,
  ['serve', '--ephemeral', '--listen', '127.0.0.1:0', '--clock-rate', '0', '--clock-start', '2026-11-25T09:00:00Z'],
  { stdio: ['ignore', 'pipe', 'ignore'] })
const [line] = await once(createInterface(emulator.stdout), 'line')
const url = line.replace('listening on ', '')

async function call (method, path, body) {
  const headers = {
    authorization: 'Bearer demo', 'x-api-key': 'demo', 'x-gw-ims-org-id': '1234567890ABCDEF12345678@AdobeOrg'
  }
  const answer = await fetch(url + path, { method, headers, body: body && JSON.stringify(body) })
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
  return answer
}

const execution = await call('PUT', '/api/program/4/pipeline/1/execution')
const path = new URL(execution.headers.get('location')).pathname.replace('/api', '')
await call('POST', '/_emulator/clock/advance', { by: 'PT1M' })

const browser = await chromium.launch({ executablePath: EXECUTABLE, args: ARGUMENTS })
for (const colorScheme of ['light', 'dark']) {
  const page = await browser.newPage({
    viewport: { width: 1200, height: 900 }, colorScheme, timezoneId: 'Europe/Berlin', locale: 'en-GB'
  })
  await page.goto(url + path)
  await page.getByRole('button', { name: 'Approve' }).waitFor()
  await page.screenshot({ path: fileURLToPath(new URL(`../../docs/images/execution-${colorScheme}.png`, import.meta.url)) })
}
await browser.close()
emulator.kill()
