// Starts the emulator and a browser, and checks that every page behaves.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { after } from 'node:test'
import { chromium } from 'playwright-core'
import { ARGUMENTS, EXECUTABLE } from './options.js'

/** Starts an emulator whose clock stands still. `options` are more options of `serve`. */
export async function startEmulator (t, options = [], listen = '127.0.0.1:0') {
  const emulator = spawn(process.env.CME_BINARY, ['serve', '--listen', listen, '--clock-rate', '0', ...options], { stdio: ['ignore', 'pipe', 'ignore'] })
  const stop = async () => {
    emulator.kill()
    if (emulator.exitCode === null && emulator.signalCode === null) await once(emulator, 'exit')
  }
  t.after(stop)
  const [line] = await once(createInterface(emulator.stdout), 'line')
  return { url: line.replace('listening on ', ''), stop }
}

/** One browser for the tests of a file; each page has its own profile. */
let launched

/** Returns the browser. */
export function launch () {
  launched ??= chromium.launch({ executablePath: EXECUTABLE, args: ARGUMENTS })
  return launched
}

after(async () => (await launched)?.close())

/**
 * Opens a page of an emulator. At the end of the test there must have been no error in the browser's
 * console and no request to another origin. The options are those of Playwright for a page, for
 * example its time zone; `serve` are those of the emulator.
 */
export async function openConsole (t, path = '/', options = {}, serve = ['--ephemeral']) {
  const { url, stop } = await startEmulator(t, serve)
  const browser = await launch()
  const context = await browser.newContext(options)
  t.after(() => context.close())
  const page = await context.newPage()
  const mistakes = []
  // A pipeline without a scenario answers 404, which the browser reports as an error.
  const expected = message => message.location().url.endsWith('/scenario')
  page.on('console', message => { if (message.type() === 'error' && !expected(message)) mistakes.push(message.text()) })
  page.on('pageerror', error => mistakes.push(error.message))
  page.on('request', request => { if (!request.url().startsWith(url)) mistakes.push(request.url()) })
  await page.goto(url + path)
  // A browser reports each answer that is an error; `unexpected` says which of them a test does not expect.
  const check = (unexpected = () => true) => assert.deepEqual(mistakes.filter(unexpected), [])
  const advance = async body => {
    const answer = await fetch(`${url}/_emulator/clock/advance`, { method: 'POST', body: JSON.stringify(body) })
    assert.equal(answer.status, 200)
  }
  return { browser, context, page, url, check, advance, stop }
}
