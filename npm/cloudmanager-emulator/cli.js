#!/usr/bin/env node
// Runs the program with the arguments of this script, and ends as it ends.

const { spawn } = require('node:child_process')
const { constants } = require('node:os')
const { findBinary } = require('./binary.js')

try {
  run(findBinary())
} catch (error) {
  refuse(error)
}

function run (binary) {
  const child = spawn(binary, process.argv.slice(2), { stdio: 'inherit' })
  for (const signal of ['SIGTERM', 'SIGHUP']) {
    process.on(signal, () => child.kill(signal))
  }
  // Ctrl-C in a terminal reaches the program by itself.
  process.on('SIGINT', () => {})
  child.on('error', refuse)
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal]
  })
}

function refuse (error) {
  console.error(error.message)
  process.exitCode = 126
}
