// How the browser is started.

/** The browser. */
export const EXECUTABLE = process.env.CHROME ?? '/usr/bin/chromium'

/** It runs as root, and calls nobody. */
export const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync']
