// A release on this machine: the program, packed as the release workflow does, and served over HTTPS.

import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { createServer } from 'node:https'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { BINARY } from './emulator.js'
import { inProject } from './markdown.js'

/** A certificate for localhost, with its key. */
export const CERTIFICATE = fileURLToPath(new URL('loopback.pem', import.meta.url))

const SYSTEMS = { linux: 'unknown-linux-musl', darwin: 'apple-darwin' }
const MACHINES = { x64: 'x86_64', arm64: 'aarch64' }
const ARCHIVE = `cloudmanager-emulator-${MACHINES[process.arch]}-${SYSTEMS[process.platform]}.tar.gz`

/** The home of the project in the tests. */
const HOME = '/acme/emulator'

/** Publishes the program as the newest release and as version 0.1.0, until the test ends. */
export async function publish (t, { checksum } = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'release-'))
  t.after(() => rm(directory, { recursive: true }))
  const file = join(directory, ARCHIVE)
  await promisify(execFile)('tar', ['-czf', file, '-C', dirname(BINARY), basename(BINARY)])
  const archive = await readFile(file)
  checksum ??= createHash('sha256').update(archive).digest('hex')
  const files = new Map(['latest/download', 'download/v0.1.0'].flatMap(release => [
    [`${HOME}/releases/${release}/${ARCHIVE}`, archive],
    [`${HOME}/releases/${release}/${ARCHIVE}.sha256`, `${checksum}  ${ARCHIVE}\n`],
  ]))
  const installer = await readFile(inProject('packaging/install.sh'), 'utf8')

  const pem = await readFile(CERTIFICATE)
  const asked = []
  const server = createServer({ cert: pem, key: pem }, ({ url }, response) => {
    asked.push(url)
    response.writeHead(files.has(url) ? 200 : 404).end(files.get(url))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const origin = `https://localhost:${server.address().port}`
  const home = origin + HOME
  files.set(`${HOME}/releases/latest/download/install.sh`, installer.replace('@REPOSITORY@', home))
  return { origin, repository: HOME.slice(1), home, asked }
}
