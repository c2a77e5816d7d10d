// Tails logs with the SDK, whose pauses between two looks at a log are the test's.

import { Writable } from 'node:stream'

/**
 * Lets the SDK tail a log by `start`, which is given the stream to write to. In place of each pause
 * of so many milliseconds, `duringPause` is called with what has been printed and the number of the
 * pause, from 1; it moves the emulator's clock. Answers what was printed and how the tail ended:
 * with a `result` or an `error`.
 */
export async function tail (t, { pause, duringPause }, start) {
  const chunks = []
  const output = new Writable({
    write (chunk, _, done) {
      chunks.push(chunk)
      done()
    },
  })
  const printed = () => Buffer.concat(chunks).toString()
  let mistaken
  const mistake = new Promise((resolve, reject) => { mistaken = reject })

  let pauses = 0
  const setTimeout = globalThis.setTimeout
  const mock = t.mock.method(globalThis, 'setTimeout', (callback, delay, ...rest) => {
    if (delay !== pause) return setTimeout(callback, delay, ...rest)
    pauses += 1
    duringPause(printed(), pauses).then(callback, mistaken)
  })
  try {
    const ended = start(output).then(result => ({ result }), error => ({ error }))
    return { ...await Promise.race([ended, mistake]), printed: printed(), pauses }
  } finally {
    mock.mock.restore()
  }
}
