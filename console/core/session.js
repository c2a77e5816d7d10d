// Who calls the API: with open authentication anybody, with strict authentication a client of the seed.
import { store } from './store.js'

/**
 * @typedef {object} Session
 * @property {string} token  kept in memory only
 * @property {string} apiKey
 * @property {string} [organisation]  the only one that the caller may name
 * @property {string[]} [roles]  absent where everything is allowed
 */

/** @type {{ get: () => Session | undefined, set: (next: Session | undefined) => void, use: () => Session | undefined }} */
export const session = store(/** @type {any} */ (undefined))

/** What open authentication accepts. */
export const OPEN = { token: 'console', apiKey: 'console' }

export const ROLES = {
  businessOwner: 'Business Owner',
  deploymentManager: 'Deployment Manager',
  programManager: 'Program Manager',
  developer: 'Developer',
  customerSuccessEngineer: 'Customer Success Engineer'
}

const DEPLOY = ['businessOwner', 'deploymentManager', 'programManager']

/** The roles that a call needs; the first rule that fits counts, and other calls are for everybody. */
const RULES = [
  { method: 'PUT', path: /^\/api\/.*\/execution(\?|$)/, roles: DEPLOY },
  { method: 'PUT', path: /^\/api\/.*\/(advance|cancel)$/, roles: DEPLOY },
  { method: 'DELETE', path: /^\/api\/.*\/pipeline\/[^/]+$/, roles: ['deploymentManager'] },
  { method: 'PATCH', path: /^\/api\//, roles: ['deploymentManager'] },
  { method: 'GET', path: /^\/api\/.*\/pipeline\/[^/]+\/variables$/, roles: [...DEPLOY, 'developer'] },
  { method: 'GET', path: /^\/api\/.*\/environment\/[^/]+\/logs\/download/, roles: ['deploymentManager'] },
  { method: 'GET', path: /^\/api\/.*\/environment\/[^/]+\/logs/, roles: ['deploymentManager', 'developer'] }
]

/**
 * Says why the caller may not make a call: which role may. `needed` replaces the roles of the rule.
 * @param {{ method: string, path?: string }} call
 * @param {string[]} [needed]
 */
export function refusal({ method, path }, needed) {
  const roles = session.get()?.roles
  const allowed = needed ?? RULES.find(it => it.method === method && it.path.test(path ?? ''))?.roles
  if (!roles || !allowed || !path?.startsWith('/api') || allowed.some(role => roles.includes(role))) return undefined
  const names = new Intl.ListFormat('en', { type: 'disjunction' }).format(allowed.map(role => ROLES[role]))
  return `This needs the role ${names}.`
}
