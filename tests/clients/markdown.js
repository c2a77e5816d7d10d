// Reads the code blocks of the project's Markdown files.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { delimiter, dirname } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { BINARY } from './emulator.js'

/** The path of a file of the project. */
export const inProject = path => fileURLToPath(new URL(`../../${path}`, import.meta.url))

/** A fenced block, perhaps after a comment with the reason why it is not run. */
const BLOCK = /(?:^<!-- Not run: (.+?) -->\n+)?^```(\w*)\n(.*?)^```$/gms

/** The Markdown files for users, by their paths in the project. */
export async function listDocuments () {
  const files = await readdir(inProject('docs'), { recursive: true })
  return ['README.md', ...files.map(file => `docs/${file}`)].filter(file => file.endsWith('.md')).sort()
}

/**
 * The fenced blocks of a document. A block that begins with a comment naming a file is that file; what a
 * shell block prints is the block without a language after it.
 */
export async function blocksOf (file) {
  const document = await readFile(inProject(file), 'utf8')
  const blocks = [...document.matchAll(BLOCK)].map(([, reason, language, content]) => {
    const [, name] = content.match(/^(?:#|\/\/) (\S+\.\w+)\n/) ?? []
    return { reason, language, content, name }
  })
  return blocks.map((block, index) => {
    const next = blocks[index + 1]
    return { ...block, output: next?.language === '' ? next.content : undefined }
  })
}

/** Whether a block is commands to run. */
export const isCommand = ({ language, name, reason }) => language === 'sh' && !name && !reason

/** Runs a program that finds the emulator on its PATH, in a directory; returns its code and its output. */
export async function run (program, args, directory, environment) {
  const env = {
    ...process.env,
    PATH: [dirname(BINARY), process.env.PATH].join(delimiter),
    // No proxy leads back to this machine.
    no_proxy: '127.0.0.1,localhost',
    ...environment,
  }
  // It would make a test runner report to this one.
  delete env.NODE_TEST_CONTEXT
  const child = spawn(program, args, { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const closed = once(child, 'close')
  const [printed, said] = await Promise.all([text(child.stdout), text(child.stderr)])
  const [code] = await closed
  return { code, printed, said }
}
