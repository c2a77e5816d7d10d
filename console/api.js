// Calls to /api and /_emulator.

/** Who calls: what open authentication accepts, or what the user has signed in with. */
export const caller = { token: 'console', apiKey: 'console', organisation: undefined }

const organisations = new Map()
let info

/** Returns the answer of `GET /_emulator/info`, read once. */
export function readInfo() {
  info ??= call('GET', '/_emulator/info').catch(error => { info = undefined; throw error })
  return info
}

/** Forgets what was read once, because the state has been replaced. */
export function forget() {
  info = undefined
}

/** Says which organisation a program belongs to. */
export function remember(program, organisation) {
  organisations.set(program, organisation)
}

async function headersFor(path, organisation) {
  if (!path.startsWith('/api')) return {}
  const program = path.match(/^\/api\/program\/([^/?]+)/)?.[1]
  return {
    authorization: `Bearer ${caller.token}`,
    'x-api-key': caller.apiKey,
    'x-gw-ims-org-id': organisation ?? organisations.get(program) ?? caller.organisation ?? (await readInfo()).organisations[0] ?? ''
  }
}

/** An answer that is an error, with the server's own words. */
export class Refusal extends Error {
  constructor(status, body) {
    super(words(body) || `The emulator answered with status ${status}.`)
    this.status = status
  }
}

function words(body) {
  const errors = body?.errors ?? body?.message
  if (typeof errors === 'string') return errors
  if (Array.isArray(errors)) return errors.join(' ')
  return Object.values(errors ?? {}).map(it => `${it.field}: ${it.message}`).join(' ')
}

/** Calls the emulator and returns the body: JSON, or text. */
export async function call(method, path, body, { organisation, raw, headers } = {}) {
  const request = { method, headers: { 'x-emulator-console': '1', ...await headersFor(path, organisation), ...headers } }
  if (body !== undefined) {
    request.headers['content-type'] ??= 'application/json'
    request.body = typeof body === 'string' || body instanceof Blob ? body : JSON.stringify(body)
  }
  let answer
  try {
    answer = await fetch(path, request)
  } catch {
    throw new Refusal(0, { message: 'The emulator does not answer. Is it still running?' })
  }
  if (raw && answer.ok) return answer
  const text = await answer.text()
  const read = /json/.test(answer.headers.get('content-type') ?? '') ? JSON.parse(text) : text
  if (!answer.ok) throw new Refusal(answer.status, read)
  return read
}

/** Reads a resource; a missing one is `undefined`. */
export async function find(path) {
  try {
    return await call('GET', path)
  } catch (error) {
    if (error.status === 404) return undefined
    throw error
  }
}

/** Returns the path of a file that a call redirects to. */
export async function fileOf(path) {
  const { redirect } = await call('GET', path, undefined, { headers: { accept: 'application/json' } })
  const { pathname, search } = new URL(redirect, location.href)
  return pathname + search
}

/** Lists the programs of all organisations. */
export async function listPrograms() {
  const lists = await Promise.all((await readInfo()).organisations.map(async organisation => {
    const tenants = await call('GET', '/api/tenants', undefined, { organisation })
    const programs = await Promise.all(tenants._embedded.tenants.map(async ({ id }) => {
      const list = await call('GET', `/api/tenant/${id}/programs`, undefined, { organisation })
      return list._embedded.programs
    }))
    programs.flat().forEach(({ id }) => remember(id, organisation))
    return programs.flat()
  }))
  return lists.flat()
}

const quote = text => `'${text.replaceAll("'", "'\\''")}'`

/** Returns a call as a command for a shell. */
export async function asCurl({ method, path, body }) {
  const headers = Object.entries(await headersFor(path)).map(([name, value]) => ['-H', quote(`${name}: ${value}`)])
  const data = body === undefined ? [] : ['-H', quote('content-type: application/json'), '-d', quote(typeof body === 'string' ? body : JSON.stringify(body))]
  return ['curl', '-X', method, ...headers.flat(), ...data, quote(location.origin + path)].join(' ')
}
