// The recipes of docs/testing-with-the-emulator.md, as they stand there: the files that they show are
// written to a directory, and the commands run in it and have to print what the document says.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { BINARY } from './emulator.js'

const inProject = path => fileURLToPath(new URL(`../../${path}`, import.meta.url))

const DOCUMENT = await readFile(inProject('docs/testing-with-the-emulator.md'), 'utf8')

/** The fenced blocks in order; those that begin with a comment naming a file are that file. */
const BLOCKS = [...DOCUMENT.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language, content]) => {
  const [, file] = content.match(/^(?:#|\/\/) (\S+\.\w+)\n/) ?? []
  return { language, content, file }
})

const FILES = BLOCKS.filter(({ language, file }) => file && ['sh', 'js'].includes(language))

const COMMANDS = BLOCKS.flatMap(({ language, content, file }, index) =>
  language === 'sh' && !file ? [{ command: content, output: BLOCKS[index + 1] }] : [])

let directory

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'recipes-'))
  await symlink(inProject('tests/clients/node_modules'), join(directory, 'node_modules'))
  await Promise.all(FILES.map(({ file, content }) => writeFile(join(directory, file), content)))
})
after(() => rm(directory, { recursive: true }))

test('the recipes are found, and each of their files is used', () => {
  assert.ok(COMMANDS.length > 10 && FILES.length > 5, `${COMMANDS.length} commands, ${FILES.length} files`)
  assert.equal(new Set(FILES.map(({ file }) => file)).size, FILES.length)
  for (const { file } of FILES) {
    const isUsed = BLOCKS.some(block => block.file !== file && block.content.includes(file))
    assert.ok(isUsed, `${file} is neither run nor used by another file`)
  }
})

for (const { command, output } of COMMANDS) {
  test(`the recipe prints what it says: ${command.trim()}`, async () => {
    assert.equal(output?.language, '', 'its output follows the command')

    const { code, printed } = await run(command)

    assert.equal(code, 0, printed)
    assert.equal(withoutChance(printed), withoutChance(output.content))
  })
}

async function run (command) {
  const env = {
    ...process.env,
    PATH: [dirname(BINARY), process.env.PATH].join(delimiter),
    // On a terminal that is the reporter in any case.
    NODE_OPTIONS: '--test-reporter=spec',
    // No proxy leads back to this machine.
    no_proxy: '127.0.0.1',
  }
  // It would make a test runner report to this one.
  delete env.NODE_TEST_CONTEXT
  const child = spawn('sh', ['-eu', '-c', `exec 2>&1\n${command}`], { cwd: directory, env })
  child.stdin.end()
  const closed = once(child, 'close')
  const printed = await text(child.stdout)
  const [code] = await closed
  return { code, printed }
}

/** What a command prints without what differs each time. Of test runners, only the tests. */
const withoutChance = printed => printed
  .replace(/^ℹ .*\n/gm, '')
  .replace(/\(\d+(\.\d+)?ms\)/g, '(… ms)')
  .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:…')
