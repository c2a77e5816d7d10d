// The npm package as users install it: packed, installed from the tarballs, and used.

import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { BINARY, ORGANISATION } from './emulator.js'
import { blocksOf, inProject } from './markdown.js'

const run = promisify(execFile)
const MAIN = inProject('npm/cloudmanager-emulator')

let directory

/** What a script prints that uses the package. */
async function print (script, name = 'script.mjs') {
  const file = join(directory, name)
  await writeFile(file, script)
  const env = { ...process.env, CME_BINARY: '' }
  const { stdout } = await run(process.execPath, [file], { cwd: directory, env })
  return stdout.trim()
}

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'npm-package-'))
  const platform = join(directory, 'platform')
  const script = inProject('npm/platform-package.js')
  await run(process.execPath, [script, process.platform, process.arch, BINARY, platform])
  const packed = []
  for (const source of [platform, MAIN]) {
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', directory, source])
    packed.push(join(directory, JSON.parse(stdout)[0].filename))
  }
  await writeFile(join(directory, 'package.json'), '{ "private": true }')
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', ...packed], { cwd: directory })
})
after(() => rm(directory, { recursive: true }))

test('the package starts an emulator, moves its clock, and stops it', async () => {
  const printed = await print(`
    import { startEmulator } from 'cloudmanager-emulator'
    const emulator = await startEmulator({ clockRate: 0, clockStart: '2026-03-05T10:00:00Z' })
    const headers = {
      'x-gw-ims-org-id': '${ORGANISATION}', 'x-api-key': 'ci', authorization: 'Bearer token',
    }
    const path = '/api/program/4/pipeline/3/execution'
    const started = await fetch(emulator.url + path, { method: 'PUT', headers })
    const { now } = await emulator.advanceClock('PT1H')
    await emulator.stop()
    const gone = await fetch(emulator.url).catch(error => error.cause.code)
    console.log(started.status, now, gone)
  `)
  assert.equal(printed, '201 2026-03-05T11:00:00.000+0000 ECONNREFUSED')
})

test('the example of docs/npm.md runs', async () => {
  const examples = (await blocksOf('docs/npm.md')).filter(({ language }) => language === 'js')
  assert.equal(examples.length, 1)
  assert.equal(await print(examples[0].content), '')
})

test('a CommonJS module, such as a test for Jest, can require the package', async () => {
  const printed = await print(`
    const { startEmulator } = require('cloudmanager-emulator')
    startEmulator().then(({ stop }) => stop()).then(() => console.log('stopped'))
  `, 'script.cjs')
  assert.equal(printed, 'stopped')
})

test('an emulator ends with the process that started it', { timeout: 20_000 }, async () => {
  const file = join(directory, 'leave.mjs')
  await writeFile(file, `
    import { startEmulator } from 'cloudmanager-emulator'
    console.log((await startEmulator()).url)
    process.stdin.on('end', () => process.exit()).resume()
  `)
  const child = spawn(process.execPath, [file], { env: { ...process.env, CME_BINARY: '' } })
  const [url] = await once(createInterface({ input: child.stdout }), 'line')
  const events = await fetch(`${url}/_emulator/events`)

  child.stdin.end()

  // The stream ends when the emulator stops.
  await events.text()
})

test('the types describe the package', async () => {
  await writeFile(join(directory, 'types.ts'), `
    import { startEmulator, type Emulator } from 'cloudmanager-emulator'
    await using emulator: Emulator = await startEmulator({ pace: 'immediate', clockRate: 0 })
    const { transitions } = await emulator.advanceClock('PT1H')
    export const count: number = transitions
    // @ts-expect-error
    await startEmulator({ pace: 'slow' })
  `)
  const compiler = inProject('tests/clients/node_modules/typescript/bin/tsc')
  for (const resolution of ['bundler', 'node10']) {
    const options = ['--noEmit', '--strict', '--target', 'es2022', '--module', 'esnext']
    const args = [compiler, ...options, '--moduleResolution', resolution, 'types.ts']
    await run(process.execPath, args, { cwd: directory }).catch(({ stdout }) => assert.fail(stdout))
  }
})

test('the package says why an emulator does not start', async () => {
  const printed = await print(`
    import { startEmulator } from 'cloudmanager-emulator'
    const message = await startEmulator({ seed: 'missing.yaml' }).catch(error => error.message)
    const unknown = await startEmulator({ port: 1 }).catch(error => error.message)
    console.log(message + '; ' + unknown)
  `)
  assert.match(printed, /exit code 2: the seed file missing.yaml can't be read: .*; unknown options: port/)
})

test('the package has the command', async () => {
  const command = join(directory, 'node_modules', '.bin', 'cloudmanager-emulator')
  const env = { ...process.env, CME_BINARY: '' }
  const { stdout } = await run(command, ['--version'], { env })
  assert.match(stdout, /^cloudmanager-emulator \d/)
})

test('the package has the version of the program', async () => {
  const { version, optionalDependencies } = JSON.parse(await readFile(join(MAIN, 'package.json'), 'utf8'))
  const { stdout } = await run(BINARY, ['--version'])
  assert.equal(stdout.split(' ')[1].trim(), version)
  assert.deepEqual(new Set(Object.values(optionalDependencies)), new Set([version]))
})
