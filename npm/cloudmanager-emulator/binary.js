// Finds the program: in the package for this platform, or where CME_BINARY says.

/** The path of the program. */
exports.findBinary = () => {
  if (process.env.CME_BINARY) {
    return process.env.CME_BINARY
  }
  const name = `cloudmanager-emulator-${process.platform}-${process.arch}`
  const file = process.platform === 'win32' ? 'cloudmanager-emulator.exe' : 'cloudmanager-emulator'
  try {
    return require.resolve(`${name}/${file}`)
  } catch {
    throw new Error(
      `The package ${name} is not installed. Install with optional dependencies, or set CME_BINARY ` +
      'to the path of a cloudmanager-emulator for this platform.')
  }
}
