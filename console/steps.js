// What Cloud Manager calls the steps, and how they are grouped in cards and stages.

const PERFORMANCE = ['loadTest', 'assetsTest', 'reportPerformanceTest']

const NAMES = {
  validate: 'Validation',
  build: 'Build & Unit Testing',
  codeQuality: 'Code Scanning',
  securityTest: 'Security Testing',
  contentAudit: 'Content Audit',
  schedule: 'Schedule Production Deployment',
  managed: 'CSE Support'
}
const ENVIRONMENTS = { stage: 'Stage', prod: 'Production', dev: 'Dev' }
const TESTS = { loadTest: 'Sites test', assetsTest: 'Assets test', reportPerformanceTest: 'Report' }

/** Returns the name of a step's card. */
export function nameOf({ action, environmentType }) {
  if (PERFORMANCE.includes(action)) return 'Performance Testing'
  if (action === 'deploy') return `Deploy to ${ENVIRONMENTS[environmentType] ?? environmentType}`
  if (action === 'approval') return environmentType === 'prod' ? 'Application for Approval' : 'Stage Deployment Approval'
  return NAMES[action] ?? action
}

/** Returns the name of a part of a card. */
export const partOf = ({ action }) => TESTS[action] ?? action

/** Returns the title of the results of a gate. */
export const gateOf = step => ({ codeQuality: 'Code Scanning Results', securityTest: 'Security Test Results' })[step.action] ?? 'Performance Test Results'

/** Returns the steps of a pipeline as they are before an execution. */
export function planned(pipeline) {
  return pipeline.phases.flatMap(phase => phase.steps.map(step => ({
    action: step.name, status: 'NOT_STARTED', details: {}, _links: {},
    branch: phase.branch, environmentType: phase.environmentType
  })))
}

const isOver = step => !['NOT_STARTED', 'RUNNING', 'WAITING'].includes(step.status)

/** Groups step states in cards; the performance tests share one. */
export function cards(steps) {
  const groups = []
  for (const step of steps) {
    const last = groups.at(-1)
    if (last && last.name === nameOf(step)) last.steps.push(step)
    else groups.push({ name: nameOf(step), steps: [step] })
  }
  return groups.map(({ name, steps }) => {
    const main = steps.findLast(step => step.status !== 'NOT_STARTED') ?? steps[0]
    const between = main.status === 'FINISHED' && steps.at(-1) !== main
    return { name, steps, main, status: between ? 'RUNNING' : main.status, stage: stageOf(main, steps.length) }
  })
}

function stageOf({ action, environmentType }) {
  if (action === 'codeQuality' || action === 'build' || action === 'validate') return 'build'
  if (environmentType === 'prod') return 'Production Deployment'
  if (action === 'deploy' || action === 'approval') return environmentType === 'stage' ? 'Stage Deployment' : 'Deployment'
  return 'Stage Testing'
}

/** Returns the stages of an execution, each with its cards and its status. */
export function stages(list) {
  const first = list.find(card => card.stage !== 'build')?.stage ?? 'Code Scanning'
  const result = []
  for (const card of list) {
    const name = card.stage === 'build' ? first : card.stage
    const stage = result.find(it => it.name === name)
    if (stage) stage.cards.push(card)
    else result.push({ name, cards: [card] })
  }
  return result.map(stage => ({ ...stage, status: stageStatus(stage.cards) }))
}

function stageStatus(list) {
  const found = list.find(card => card.status !== 'FINISHED')
  if (!found) return 'FINISHED'
  if (found.status === 'NOT_STARTED' && list[0].status !== 'NOT_STARTED') return 'RUNNING'
  return found.status
}

/** Returns a link of a resource by the end of its relation: `pipeline/advance`. */
export const link = (resource, relation) => resource._links?.[`http://ns.adobe.com/adobecloud/rel/${relation}`]?.href

/** Returns whether an execution is under way. */
export const isRunning = ({ status }) => ['NOT_STARTED', 'RUNNING', 'CANCELLING'].includes(status)

/** Returns the kind of a pipeline. */
export function kindOf({ phases }) {
  const types = phases.filter(({ type }) => type === 'DEPLOY').map(it => it.environmentType)
  if (types.includes('prod')) return 'Production'
  if (!types.length) return 'Non-Production · Code Quality'
  return 'Non-Production · Deployment'
}

/** Returns whether a pipeline deploys to production. */
export const isProduction = pipeline => kindOf(pipeline) === 'Production'

export { isOver }
