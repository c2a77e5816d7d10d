// README.md and docs/: each of their shell blocks runs as it stands there, and prints what it says. The
// blocks of a document share a shell and an emulator, like those that a reader copies.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { BINARY } from './emulator.js'

const inProject = path => fileURLToPath(new URL(`../../${path}`, import.meta.url))

/** Documents with the options of their emulator, and the number of blocks that they have at least. */
const DOCUMENTS = [
  { file: 'README.md', options: [], least: 3 },
  { file: 'docs/control.md', options: [], least: 25 },
  { file: 'docs/configuration.md', options: ['--auth', 'open'], least: 2 },
]

/** Stands between what two blocks print. */
const MARK = '-- next block --'

for (const { file, options, least } of DOCUMENTS) {
  test(`the shell blocks of ${file} print what it says`, async t => {
    const blocks = await blocksOf(file)
    const commands = blocks.filter(({ language, name }) => language === 'sh' && !name)
    assert.ok(commands.length >= least, `${commands.length} blocks`)
    const directory = await mkdtemp(join(tmpdir(), 'documents-'))
    t.after(() => rm(directory, { recursive: true }))
    const files = blocks.filter(({ language, name }) => language === 'sh' && name)
    await Promise.all(files.map(({ name, content }) => writeFile(join(directory, name), content)))

    const script = commands.map(({ content }) => content).join(`echo; echo '${MARK}'\n`)
    const { code, printed } = await run(directory, options, script)

    assert.equal(code, 0, printed)
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

/** The fenced blocks of a document; what a shell block prints is the block without a language after it. */
async function blocksOf (file) {
  const document = await readFile(inProject(file), 'utf8')
  const blocks = [...document.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language, content]) => {
    const [, name] = content.match(/^# (\S+\.\w+)\n/) ?? []
    return { language, content, name }
  })
  return blocks.map((block, index) => {
    const next = blocks[index + 1]
    return { ...block, output: next?.language === '' ? next.content : undefined }
  })
}

async function run (directory, options, script) {
  const env = {
    ...process.env,
    PATH: [dirname(BINARY), process.env.PATH].join(delimiter),
    no_proxy: '127.0.0.1',
  }
  const child = spawn(BINARY, ['exec', ...options, '--', 'sh', '-eu', '-c', `exec 2>&1\n${script}`],
    { cwd: directory, env })
  child.stdin.end()
  const closed = once(child, 'close')
  const [printed, said] = await Promise.all([text(child.stdout), text(child.stderr)])
  const [code] = await closed
  return { code, printed: printed + (code === 0 ? '' : said) }
}

/** What is printed without what differs each time: times, and how long something waited. */
const withoutChance = printed => printed
  .trimEnd()
  .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, '… …')
  .replace(/after \d+ s/g, 'after … s')
