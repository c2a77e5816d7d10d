// Makes the package that holds the program for one platform:
// node npm/platform-package.js PLATFORM ARCH BINARY DIRECTORY

import { chmod, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const [platform, arch, binary, directory] = process.argv.slice(2)
if (!directory) {
  console.error('usage: node npm/platform-package.js PLATFORM ARCH BINARY DIRECTORY')
  process.exit(2)
}

const main = fileURLToPath(new URL('cloudmanager-emulator/package.json', import.meta.url))
const { name, version, license } = JSON.parse(await readFile(main, 'utf8'))
const file = platform === 'win32' ? `${name}.exe` : name
await mkdir(directory, { recursive: true })
await copyFile(binary, join(directory, file))
await chmod(join(directory, file), 0o755)
await writeFile(join(directory, 'package.json'), JSON.stringify({
  name: `${name}-${platform}-${arch}`,
  version,
  description: `The program of ${name} for ${platform} on ${arch}`,
  license,
  os: [platform],
  cpu: [arch],
  files: [file],
}, null, 2) + '\n')
