// Calls to /api and /_emulator.
import { OPEN, session } from './session.js'

/** @type {Map<string, string>} the organisation of each program */
const organisations = new Map()
/** @type {Promise<any> | undefined} */
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

/** @returns {Promise<Record<string, string>>} */
async function headersFor(path, organisation) {
  if (!path.startsWith('/api')) return {}
  const caller = session.get() ?? OPEN
  const program = path.match(/^\/api\/program\/([^/?]+)/)?.[1]
  const known = organisation ?? caller.organisation ?? organisations.get(program)
  return {
    authorization: `Bearer ${caller.token}`,
    'x-api-key': caller.apiKey,
    'x-gw-ims-org-id': known ?? (await readInfo()).organisations[0] ?? ''
  }
}

/**
 * Makes a request and returns the response, whatever its status.
 * @param {string} path
 * @param {{ method: string, headers?: Record<string, string>, body?: BodyInit, organisation?: string }} request
 */
async function send(path, { organisation, ...request }) {
  const headers = new Headers({ 'x-emulator-console': '1', ...await headersFor(path, organisation), ...request.headers })
  const answer = await fetch(path, { ...request, headers }).catch(() => {
    throw new Refusal(0, { message: 'The emulator does not answer. Is it still running?' })
  })
  return answer
}

/**
 * Calls the emulator and returns the body: JSON, or text; with `raw` the response itself.
 * @param {string} method
 * @param {string} path
 * @param {any} [body]
 * @param {{ organisation?: string, raw?: boolean, headers?: Record<string, string> }} [options]
 * @returns {Promise<any>}
 */
export async function call(method, path, body, { organisation, raw, headers } = {}) {
  const request = { method, organisation, headers: { ...headers }, body: /** @type {BodyInit | undefined} */ (undefined) }
  if (body !== undefined) {
    request.headers['content-type'] ??= 'application/json'
    request.body = typeof body === 'string' || body instanceof Blob ? body : JSON.stringify(body)
  }
  let answer = await send(path, request)
  if (answer.status === 401 && session.get()) {
    // The token has expired, because the clock was advanced.
    await actAs(session.get()?.apiKey)
    answer = await send(path, request)
  }
  if (raw && answer.ok) return answer
  const text = await answer.text()
  const read = /json/.test(answer.headers.get('content-type') ?? '') ? JSON.parse(text) : text
  if (!answer.ok) throw new Refusal(answer.status, read)
  return read
}

/** Lists the clients that the console can act as. */
export const listClients = async () => (await call('GET', '/_emulator/clients')).clients

/** Signs in as a client of the seed; without a name, signs out. */
export async function actAs(clientId) {
  if (!clientId) return session.set(undefined)
  const [clients, { access_token: token }] = await Promise.all([
    listClients(), call('POST', `/_emulator/clients/${encodeURIComponent(clientId)}/token`)])
  const { roles, imsOrgId } = clients.find(it => it.clientId === clientId)
  session.set({ token, apiKey: clientId, organisation: imsOrgId, roles })
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

/** Returns the items of a list of the API: what is embedded under `name`. */
export const list = async (path, name, options) => (await call('GET', path, undefined, options))._embedded[name]

/** Returns the path of a file that a call redirects to. */
export async function fileOf(path) {
  const { redirect } = await call('GET', path, undefined, { headers: { accept: 'application/json' } })
  const { pathname, search } = new URL(redirect, location.href)
  return pathname + search
}

/** Saves a file that a call redirects to. */
export async function save(path, name) {
  Object.assign(document.createElement('a'), { href: await fileOf(path), download: name }).click()
}

/** Lists the programs of the caller's organisations. */
export async function listPrograms() {
  const own = session.get()?.organisation
  const known = own ? [own] : (await readInfo()).organisations
  const lists = await Promise.all(known.map(async organisation => {
    const tenants = await list('/api/tenants', 'tenants', { organisation })
    const programs = await Promise.all(tenants.map(({ id }) => list(`/api/tenant/${id}/programs`, 'programs', { organisation })))
    for (const { id } of programs.flat()) organisations.set(id, organisation)
    return programs.flat()
  }))
  return lists.flat()
}

const quote = text => `'${text.replaceAll("'", "'\\''")}'`

/** Returns a call as a command for a shell. */
export async function asCurl({ method, path, body }) {
  const headers = Object.entries(await headersFor(path)).map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`)
  if (body !== undefined) headers.push(`-H ${quote('content-type: application/json')}`)
  const data = body === undefined ? [] : [`-d ${quote(typeof body === 'string' ? body : JSON.stringify(body))}`]
  return ['curl', `-X ${method}`, quote(location.origin + path), ...headers, ...data].join(' \\\n  ')
}

/** Returns the command of the Adobe CLI that makes a call, where there is one. */
export function asAio({ method, path, body }) {
  const [, program, pipeline, rest] = path.match(/^\/api\/program\/([^/]+)\/pipeline\/([^/?]+)\/?(.*)$/) ?? []
  if (!pipeline) return undefined
  const command = aioCommand(method, rest, body)
  return command && `aio cloudmanager:${command[0]} ${pipeline}${command[1] ?? ''} --programId=${program}`
}

function aioCommand(method, rest, body) {
  if (method === 'DELETE' && !rest) return ['pipeline:delete']
  if (method !== 'PUT') return undefined
  if (rest === 'execution' || /^execution\?pipelineExecutionMode=NORMAL$/.test(rest)) return ['pipeline:create-execution']
  if (rest === 'execution?pipelineExecutionMode=EMERGENCY') return ['pipeline:create-execution', ' --emergency']
  // The CLI has no option for the answer of a schedule, and sends that of each other step itself.
  if (rest.endsWith('/advance') && !body.type) return ['current-execution:advance']
  return rest.endsWith('/cancel') ? ['current-execution:cancel'] : undefined
}
