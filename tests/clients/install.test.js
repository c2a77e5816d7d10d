// packaging/install.sh and action.yml, with a release on this machine.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { parse } from 'yaml'
import { inProject } from './markdown.js'
import { CERTIFICATE, publish } from './release.js'

test('the installer installs the newest release', async t => {
  const { home, asked } = await publish(t)
  const { code, printed, directory } = await install(t, home)

  assert.equal(code, 0, printed)
  assert.equal(printed, `installed ${directory}/cloudmanager-emulator\nadd ${directory} to PATH\n`)
  const { stdout } = spawn(join(directory, 'cloudmanager-emulator'), ['--version'])
  assert.match(await text(stdout), /^cloudmanager-emulator \d/)
  assert.equal(asked.length, 2)
  assert.match(asked[0], /\/releases\/latest\/download\/cloudmanager-emulator-/)
})

test('the installer installs the version that is named', async t => {
  const { home, asked } = await publish(t)
  const { code, printed } = await install(t, home, { CME_VERSION: '0.1.0' })
  assert.equal(code, 0, printed)
  assert.match(asked[0], /\/releases\/download\/v0\.1\.0\//)
})

test('the installer refuses a program with another checksum', async t => {
  const { home } = await publish(t, { checksum: '0'.repeat(64) })
  const { code, printed, directory } = await install(t, home)
  assert.equal(code, 1)
  assert.match(printed, /install\.sh: the checksum of cloudmanager-emulator-\S+\.tar\.gz is wrong\n$/)
  assert.deepEqual(await readdir(directory), [])
})

test('the installer fails where there is no such release', async t => {
  const { home } = await publish(t)
  const { code, printed, directory } = await install(t, home, { CME_VERSION: '9.9.9' })
  assert.notEqual(code, 0)
  assert.match(printed, /404/)
  assert.deepEqual(await readdir(directory), [])
})

test('the action starts an emulator for the steps after it', async t => {
  const { code, printed, files } = await act(t, { options: '--pace immediate' })

  assert.equal(code, 0, printed)
  const url = files.GITHUB_OUTPUT.match(/^url=(http:\/\/127\.0\.0\.1:\d+)\n$/)[1]
  assert.equal(files.GITHUB_ENV, `CLOUDMANAGER_URL=${url}\n`)
  const info = await (await fetch(`${url}/_emulator/info`)).json()
  assert.equal(info.options.pace, 'immediate')
})

test('the action fails with what the emulator says', async t => {
  const { code, printed } = await act(t, { options: '--pace never' })
  assert.equal(code, 1)
  assert.match(printed, /invalid value 'never' for '--pace <PACE>'/)
})

/** Runs the installer as a release has it. */
async function install (t, home, environment) {
  const directory = await makeDirectory(t)
  const script = await readFile(inProject('packaging/install.sh'), 'utf8')
  const shell = runScript('sh', ['-c', script.replace('@REPOSITORY@', home)],
    { CME_INSTALL_DIR: directory, ...environment })
  return { ...await shell, directory }
}

/** Runs the steps of the action, as a job does that passes inputs. */
async function act (t, inputs) {
  const { origin, repository } = await publish(t)
  const temporary = await makeDirectory(t)
  const action = parse(await readFile(inProject('action.yml'), 'utf8'))
  const defaults = Object.entries(action.inputs).map(([name, input]) => [`inputs.${name}`, input.default])
  const values = {
    ...Object.fromEntries(defaults),
    'inputs.listen': '127.0.0.1:0',
    'inputs.options': inputs.options,
    'runner.temp': temporary,
    'github.server_url': origin,
    'github.action_path': inProject('.'),
    'github.action_repository || github.repository': repository,
  }
  const fill = text => text.replace(/\$\{\{ (.+?) \}\}/g, (_, expression) => {
    assert.ok(expression in values, expression)
    return values[expression]
  })

  const names = ['GITHUB_PATH', 'GITHUB_OUTPUT', 'GITHUB_ENV']
  const files = Object.fromEntries(names.map(name => [name, join(temporary, name)]))
  let result
  let path = process.env.PATH
  for (const { shell, env, run } of action.runs.steps) {
    const given = Object.entries(env).map(([name, value]) => [name, fill(value)])
    result = await runScript(shell, ['--noprofile', '--norc', '-eo', 'pipefail', '-c', run],
      { PATH: path, ...files, ...Object.fromEntries(given) }, t)
    if (result.code !== 0) break
    path = [(await read(files.GITHUB_PATH)).trim(), process.env.PATH].join(delimiter)
  }
  const contents = await Promise.all(names.map(async name => [name, await read(files[name])]))
  return { ...result, files: Object.fromEntries(contents) }
}

const read = file => readFile(file, 'utf8').catch(() => '')

/** Runs a script, and stops at the end of the test what it leaves running. */
async function runScript (shell, args, environment, t) {
  const env = { ...process.env, CURL_CA_BUNDLE: CERTIFICATE, no_proxy: 'localhost', ...environment }
  const child = spawn(shell, args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  t?.after(() => {
    try {
      process.kill(-child.pid)
    } catch (error) {
      assert.equal(error.code, 'ESRCH', 'nothing is left')
    }
  })
  const printed = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', data => printed.push(data))
  const [code] = await once(child, 'close')
  return { code, printed: Buffer.concat(printed).toString() }
}

async function makeDirectory (t) {
  const directory = await mkdtemp(join(tmpdir(), 'install-'))
  t.after(() => rm(directory, { recursive: true }))
  return directory
}
