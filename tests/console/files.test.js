// The files of the pages: their types, their size, and what is vendored.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFile, readdir } from 'node:fs/promises'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const here = name => fileURLToPath(new URL(name, import.meta.url))
const CONSOLE = here('../../console')

for (const [vendored, original] of [
  ['standalone.module.js', 'standalone.module.js'],
  ['standalone.module.d.ts', 'index.d.ts']
]) {
  test(`the vendored file ${vendored} is that of its package`, async () => {
    const ours = await readFile(here(`../../console/vendor/htm/${vendored}`))
    assert.ok(ours.equals(await readFile(here(`node_modules/htm/preact/${original}`))))
  })
}

test('the types are right', () => {
  const { status, stdout } = spawnSync('npx', ['tsc', '--project', here('tsconfig.json')], { cwd: here('.'), encoding: 'utf8' })
  assert.equal(status, 0, stdout)
})

test('the pages are small, and so is each of their files', async () => {
  let total = 0
  for (const entry of await readdir(CONSOLE, { recursive: true, withFileTypes: true })) {
    if (!/\.(js|css|html|svg)$/.test(entry.name)) continue
    const content = await readFile(`${entry.parentPath ?? entry.path}/${entry.name}`)
    total += gzipSync(content).length
    if ((entry.parentPath ?? entry.path).includes('vendor')) continue
    const lines = content.toString().split('\n')
    assert.ok(lines.length < 300, `${entry.name} has ${lines.length} lines`)
    const long = lines.find(line => line.length > 160)
    assert.equal(long, undefined, `${entry.name} has a line that is too long`)
  }
  assert.ok(total <= 100_000, `${total} bytes compressed`)
})
