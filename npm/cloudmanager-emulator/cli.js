#!/usr/bin/env node
// Runs the program with the arguments of this script, and ends as it ends.

import { spawn } from 'node:child_process'
import { findBinary } from './binary.js'

const child = spawn(findBinary(), process.argv.slice(2), { stdio: 'inherit' })
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => child.kill(signal))
}
child.on('error', error => {
  console.error(error.message)
  process.exitCode = 126
})
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal ? 1 : 0)
})
