// README.md and docs/: each of their shell blocks runs as it stands there, and prints what it says. The
// blocks of a document share a shell and an emulator, like those that a reader copies.

import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { blocksOf, inProject, isCommand, listDocuments, run } from './markdown.js'
import { CERTIFICATE, publish } from './release.js'

/** The options of the emulators for documents that need some. */
const OPTIONS = { 'docs/configuration.md': ['--auth', 'open'] }

/** The environment of documents that need one. */
const ENVIRONMENTS = {
  'docs/install.md': async t => ({
    CHECKOUT: inProject('.'),
    PROJECT: (await publish(t)).home,
    CURL_CA_BUNDLE: CERTIFICATE,
  }),
}

/** Stands between what two blocks print. */
const MARK = '-- next block --'

const documents = (await listDocuments()).filter(file => !file.startsWith('docs/recipes/'))

const withCommands = []
for (const file of documents) {
  const blocks = await blocksOf(file)
  if (blocks.some(isCommand)) withCommands.push({ file, blocks })
}

test('blocks for a shell are found, and are marked as sh', async () => {
  assert.ok(withCommands.length > 3, withCommands.map(({ file }) => file).join())
  for (const file of await listDocuments()) {
    for (const { language, content, reason } of await blocksOf(file)) {
      assert.doesNotMatch(language, /^(bash|shell|console|zsh)$/, content)
      assert.ok(!reason || language === 'sh', `only shell blocks are run in any case: ${content}`)
    }
  }
})

for (const { file, blocks } of withCommands) {
  test(`the shell blocks of ${file} print what it says`, async t => {
    const commands = blocks.filter(isCommand)
    const directory = await mkdtemp(join(tmpdir(), 'documents-'))
    t.after(() => rm(directory, { recursive: true }))
    const files = blocks.filter(({ language, name }) => language === 'sh' && name)
    await Promise.all(files.map(({ name, content }) => writeFile(join(directory, name), content)))

    const script = commands.map(({ content }) => content).join(`echo; echo '${MARK}'\n`)
    const { code, printed, said } = await run('cloudmanager-emulator',
      ['exec', ...(OPTIONS[file] ?? []), '--', 'sh', '-eu', '-c', `exec 2>&1\n${script}`], directory,
      await ENVIRONMENTS[file]?.(t))

    assert.equal(code, 0, printed + said)
    const parts = printed.split(`\n${MARK}\n`)
    assert.equal(parts.length, commands.length, printed)
    commands.forEach(({ content, output }, index) => {
      assert.doesNotMatch(parts[index], /"status":[45]\d\d,"type":/, content)
      if (output !== undefined) {
        assert.equal(withoutChance(parts[index]), withoutChance(output), content)
      }
    })
  })
}

/** What is printed without what differs each time: times, and how long something waited. */
const withoutChance = printed => printed
  .trimEnd()
  .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, '… …')
  .replace(/after \d+ s/g, 'after … s')
