// What Cloud Manager calls pipelines and steps, and how steps are grouped in cards and stages.

const PERFORMANCE = ['loadTest', 'assetsTest', 'reportPerformanceTest']
const GATES = ['codeQuality', 'securityTest', 'reportPerformanceTest']
const ACTIVE = ['RUNNING', 'WAITING']
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
const PARTS = { loadTest: 'Sites test', assetsTest: 'Assets test', reportPerformanceTest: 'Report' }
const RESULTS = { codeQuality: 'Code Scanning Results', securityTest: 'Security Test Results' }

/** Returns the name of a step's card. */
export function nameOf({ action, environmentType }) {
  if (PERFORMANCE.includes(action)) return 'Performance Testing'
  if (action === 'deploy') return `Deploy to ${ENVIRONMENTS[environmentType] ?? environmentType}`
  if (action === 'approval') return environmentType === 'prod' ? 'Application for Approval' : 'Stage Deployment Approval'
  return NAMES[action] ?? action
}

/** Returns the name of a step within a card of several steps. */
export const partOf = ({ action }) => PARTS[action] ?? action

/** Returns the title of the results of a gate. */
export const resultsOf = ({ action }) => RESULTS[action] ?? 'Performance Test Results'

/** Returns whether a step ends with a gate. */
export const hasGate = ({ action }) => GATES.includes(action)

/** Returns whether a step is the deployment to production. */
export const isProductionDeploy = ({ action, environmentType }) => action === 'deploy' && environmentType === 'prod'

/** Returns whether a step runs or waits. */
export const isActive = ({ status }) => ACTIVE.includes(status)

/** Returns the steps of a pipeline as they are before an execution. */
export function planned(pipeline) {
  return pipeline.phases.flatMap(phase => phase.steps.map(step => ({
    action: step.name, environmentType: phase.environmentType, branch: phase.branch, status: 'NOT_STARTED', details: {}
  })))
}

/**
 * Groups step states in cards; the performance tests share one. `main` is the step that the card is
 * about now.
 */
export function cardsOf(steps) {
  const groups = []
  for (const step of steps) {
    const last = groups[groups.length - 1]
    if (last?.name === nameOf(step)) last.steps.push(step)
    else groups.push({ name: nameOf(step), steps: [step] })
  }
  return groups.map(({ name, steps }) => {
    const main = steps.findLast(step => step.status !== 'NOT_STARTED') ?? steps[0]
    // Between two of its steps, a card goes on.
    const goesOn = main.status === 'FINISHED' && steps[steps.length - 1] !== main
    return { name, id: slug(name), steps, main, status: goesOn ? 'RUNNING' : main.status, stage: stageOf(main) }
  })
}

/** Returns the fragment that leads to a card: "deploy-to-stage". */
const slug = name => name.toLowerCase().replace(/[^a-z]+/g, '-')

const FIRST = 'first'

function stageOf({ action, environmentType }) {
  if (['validate', 'build', 'codeQuality'].includes(action)) return FIRST
  if (environmentType === 'prod') return 'Production Deployment'
  if (action !== 'deploy' && action !== 'approval') return 'Stage Testing'
  return environmentType === 'stage' ? 'Stage Deployment' : 'Deployment'
}

/** Returns the stages of an execution, each with its cards and its status. */
export function stagesOf(cards) {
  const first = cards.find(card => card.stage !== FIRST)?.stage ?? 'Code Scanning'
  const stages = []
  for (const card of cards) {
    const name = card.stage === FIRST ? first : card.stage
    const stage = stages.find(it => it.name === name)
    if (stage) stage.cards.push(card)
    else stages.push({ name, cards: [card] })
  }
  return stages.map(stage => ({ ...stage, status: statusOf(stage.cards) }))
}

function statusOf(cards) {
  const found = cards.find(card => card.status !== 'FINISHED')
  if (!found) return 'FINISHED'
  return found.status === 'NOT_STARTED' && cards[0].status !== 'NOT_STARTED' ? 'RUNNING' : found.status
}

/** Returns a link of a resource by the end of its relation: `pipeline/advance`. */
export const link = (resource, relation) => resource._links?.[`http://ns.adobe.com/adobecloud/rel/${relation}`]?.href

/** Returns whether an execution is under way. */
export const isRunning = ({ status }) => ['NOT_STARTED', 'RUNNING', 'CANCELLING'].includes(status)

/** Returns the kind of a pipeline. */
export function kindOf({ phases }) {
  const types = phases.filter(({ type }) => type === 'DEPLOY').map(it => it.environmentType)
  if (types.includes('prod')) return 'Production'
  return types.length ? 'Non-Production · Deployment' : 'Non-Production · Code Quality'
}

/** Returns whether a pipeline deploys to production. */
export const isProduction = pipeline => kindOf(pipeline) === 'Production'

/** Returns the phase of a pipeline that builds. */
export const buildOf = pipeline => pipeline.phases.find(({ type }) => type === 'BUILD')
