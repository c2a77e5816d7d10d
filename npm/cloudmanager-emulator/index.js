// Starts an emulator for tests. CommonJS, because Jest loads nothing else by default; `import` works, too.

const { spawn } = require('node:child_process')
const { once } = require('node:events')
const { createInterface } = require('node:readline')
const { text } = require('node:stream/consumers')
const { findBinary } = require('./binary.js')

/** The options that have a value, by their names on the command line. */
const VALUES = {
  listen: '--listen',
  database: '--database',
  seed: '--seed',
  pace: '--pace',
  clockRate: '--clock-rate',
  clockStart: '--clock-start',
  auth: '--auth',
  publicUrl: '--public-url',
  eventUrl: '--event-url',
}

/** Starts an emulator and waits until it answers. */
exports.startEmulator = async (options = {}) => {
  // The options alone say where the data is.
  const { CME_DATABASE, ...env } = process.env
  const child = spawn(findBinary(), argumentsOf(options), { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const log = text(child.stderr)
  const closed = once(child, 'close')
  // Whoever waits for the first line hears of a failure.
  closed.catch(() => {})
  // If this process ends early, the emulator ends, too.
  const kill = () => child.kill('SIGTERM')
  process.once('exit', kill)
  child.once('close', () => process.off('exit', kill))
  const lines = createInterface({ input: child.stdout })
  const ended = closed.then(async ([code]) => {
    throw new Error(`the emulator has ended with exit code ${code}: ${(await log).trim()}`)
  })
  ended.catch(() => {})
  const [line] = await Promise.race([once(lines, 'line'), ended])
  const url = line.replace('listening on ', '')

  let stopping
  const stop = () => {
    stopping ??= (async () => {
      kill()
      await closed
    })()
    return stopping
  }
  return { url, stop, advanceClock: by => advanceClock(url, by), [Symbol.asyncDispose]: stop }
}

function argumentsOf (options) {
  const unknown = Object.keys(options).filter(name => !(name in VALUES))
  if (unknown.length > 0) {
    throw new TypeError(`unknown options: ${unknown.join(', ')}`)
  }
  const all = { listen: '127.0.0.1:0', ...options }
  const given = Object.entries(all).filter(([, value]) => value !== undefined)
  const values = given.flatMap(([name, value]) => [VALUES[name], String(value)])
  return [...values, ...(options.database === undefined ? ['--ephemeral'] : []), '--quiet']
}

async function advanceClock (url, by) {
  const answer = await fetch(`${url}/_emulator/clock/advance`, {
    method: 'POST',
    body: JSON.stringify(by === undefined ? {} : { by }),
  })
  const body = await answer.json()
  if (!answer.ok) {
    throw new Error(JSON.stringify(body))
  }
  return body
}
