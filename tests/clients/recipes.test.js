// The recipes of docs/recipes, as they stand there: the files that they show are written to a directory,
// and the commands run in it and have to print what the recipe says.

import assert from 'node:assert/strict'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { blocksOf, inProject, isCommand, listDocuments, run } from './markdown.js'

const DOCUMENTS = (await listDocuments()).filter(file => file.startsWith('docs/recipes/'))

const BLOCKS = (await Promise.all(DOCUMENTS.map(blocksOf))).flat()

const FILES = BLOCKS.filter(({ language, name }) => name && ['sh', 'js'].includes(language))

const COMMANDS = BLOCKS.filter(isCommand)

let directory

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'recipes-'))
  await symlink(inProject('tests/clients/node_modules'), join(directory, 'node_modules'))
  await Promise.all(FILES.map(({ name, content }) => writeFile(join(directory, name), content)))
})
after(() => rm(directory, { recursive: true }))

test('the recipes are found, and each of their files is used', () => {
  assert.ok(COMMANDS.length > 10 && FILES.length > 5, `${COMMANDS.length} commands, ${FILES.length} files`)
  assert.equal(new Set(FILES.map(({ name }) => name)).size, FILES.length)
  for (const { name } of FILES) {
    const isUsed = BLOCKS.some(block => block.name !== name && block.content.includes(name))
    assert.ok(isUsed, `${name} is neither run nor used by another file`)
  }
})

for (const { content: command, output } of COMMANDS) {
  test(`the recipe prints what it says: ${command.trim()}`, async () => {
    assert.ok(output, 'its output follows the command')

    // On a terminal that is the reporter in any case.
    const { code, printed } = await run('sh', ['-eu', '-c', `exec 2>&1\n${command}`], directory,
      { NODE_OPTIONS: '--test-reporter=spec' })

    assert.equal(code, 0, printed)
    assert.equal(withoutChance(printed), withoutChance(output))
  })
}

/** What a command prints without what differs each time. Of test runners, only the tests. */
const withoutChance = printed => printed
  .replace(/^ℹ .*\n/gm, '')
  .replace(/\(\d+(\.\d+)?ms\)/g, '(… ms)')
  .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:…')
