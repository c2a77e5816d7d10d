// The pages for everybody: rules of accessibility, the keyboard, the help.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import test from 'node:test'
import { openConsole } from './browser.js'
import { on, setScenario } from './people.js'

const AXE = await readFile(new URL('node_modules/axe-core/axe.min.js', import.meta.url), 'utf8')
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
const HEADERS = { authorization: 'Bearer test', 'x-api-key': 'test', 'x-gw-ims-org-id': '1234567890ABCDEF12345678@AdobeOrg' }

/** Starts an execution that fails in its build, and one whose code scanning waits. Returns their pages. */
async function startBoth (url, advance) {
  const pages = []
  for (const steps of [[{ action: 'build', outcome: 'FAILED' }], [{ action: 'codeQuality', metrics: { coverage: '41.3' } }]]) {
    await setScenario(url, '/program/4/pipeline/1', steps)
    const answer = await fetch(`${url}/api/program/4/pipeline/1/execution`, { method: 'PUT', headers: HEADERS })
    assert.equal(answer.status, 201)
    pages.push(new URL(answer.headers.get('location')).pathname.replace('/api', ''))
    await advance({ by: 'PT1H' })
  }
  return pages
}

/** Returns what breaks the rules of accessibility on a page. */
async function broken (page) {
  await page.evaluate(AXE)
  const violations = await page.evaluate(async rules => (await axe.run({ runOnly: rules })).violations, RULES)
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(it => it.html).join(' ')}`)
}

for (const colorScheme of ['light', 'dark']) {
  test(`no page or dialog breaks a rule of accessibility (${colorScheme})`, async t => {
    // The rules are checked by a script that the policy of the pages does not allow.
    const { page, url, advance } = await openConsole(t, '/', { colorScheme, bypassCSP: true, reducedMotion: 'reduce' })
    const [failed, waiting] = await startBoth(url, advance)
    for (const [path, ready] of [
      ['/program/4/overview', 'Show All'], ['/program/4/pipelines', 'Code quality'], ['/program/4/activity', '953671'],
      ['/program/4/environments', 'author1uswest2'],
      ['/program/4/repositories', 'develop'], ['/emulator', 'Roles'],
      ['/program/4/pipeline/2/execution/new', 'Start Pipeline'], [failed, 'View log'], [`${failed}?log=build-unit-testing`, 'Jump to the failure'],
      [waiting, 'Review Summary'], [`${waiting}?results=code-scanning`, 'Override'], [`${waiting}?details=validation`, 'Average duration']
    ]) {
      await page.goto(url + path)
      await page.getByText(ready).locator('visible=true').first().waitFor()
      assert.deepEqual(await broken(page), [], path)
    }
    await page.goto(`${url}/program/4/pipelines`)
    for (const [row, name, dialog] of [
      ['Code quality', 'Variables', 'Variables of Code quality'], ['Code quality', 'Delete', 'Delete?'],
      ['Production Pipeline', 'Copy as curl', 'Commands'], ['Production Pipeline', 'About the execution of Production Pipeline', 'Production Pipeline']
    ]) {
      await page.getByRole('row', { name: row }).getByRole('button', { name, exact: true }).click()
      await page.getByRole('dialog', { name: dialog, exact: true }).waitFor()
      assert.deepEqual(await broken(page), [], dialog)
      await page.keyboard.press('Escape')
    }
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keys' }).waitFor()
    assert.deepEqual(await broken(page), [], 'Keys')
  })
}

/** Moves the focus with the tab key until it is on a control. */
async function tabTo (page, role, name) {
  const wanted = page.getByRole(role, { name, exact: true })
  await wanted.first().waitFor()
  for (let presses = 0; presses < 80; presses++) {
    await page.keyboard.press('Tab')
    if (await wanted.evaluateAll(all => all.includes(document.activeElement))) return
  }
  assert.fail(`The tab key does not reach ${name}.`)
}

test('an emergency deployment by the keyboard alone', async t => {
  const { page, check, advance } = await openConsole(t, '/program/4/overview')
  const { card } = on(page)
  const press = async (role, name) => {
    await tabTo(page, role, name)
    await page.keyboard.press('Enter')
  }
  await press('button', 'Deploy')
  await press('button', 'Build')
  await page.getByRole('dialog', { name: 'Run Pipeline' }).waitFor()
  await press('button', 'Emergency Mode')
  await page.getByText('Execution running in Emergency Mode').waitFor()
  await card('Validation').getByText('In progress').waitFor()
  await advance({ by: 'PT1H' })
  await press('button', 'Approve')
  await page.getByRole('dialog', { name: 'Approve?' }).waitFor()
  await press('button', 'Approve')
  await card('Deploy to Production').getByText('In progress', { exact: true }).waitFor()
  // The focus stays in the card when its button is gone.
  const focused = () => document.activeElement?.closest('section')?.getAttribute('aria-label')
  await page.waitForFunction(focused)
  assert.equal(await page.evaluate(focused), 'Application for Approval')
  check()
})

test('the keys that the help lists', async t => {
  const { page, check } = await openConsole(t, '/program/4/overview')
  await page.getByRole('heading', { level: 1 }).waitFor()
  for (const [key, heading] of [['p', 'Pipelines'], ['a', 'Activity'], ['r', 'Repositories'], ['e', 'Environments'], ['m', 'Emulator']]) {
    await page.keyboard.press('g')
    await page.keyboard.press(key)
    await page.getByRole('heading', { name: heading, level: 1 }).waitFor()
  }
  await page.keyboard.press('/')
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('type')), 'search')
  // In a field, a key is a letter.
  await page.keyboard.press('?')
  assert.equal(await page.getByRole('dialog').count(), 0)
  check()
})

test('the focus stays where it is when the page changes', async t => {
  const { page, url, check } = await openConsole(t, '/program/4/pipelines')
  await tabTo(page, 'button', 'Variables')
  const commits = `${url}/_emulator/program/5/repository/2/branch/develop/commits`
  await fetch(commits, { method: 'POST', body: '{}' })
  await fetch(`${url}/api/program/4/pipeline/3/execution`, { method: 'PUT', headers: HEADERS })
  await page.getByRole('row', { name: /Code quality/ }).getByText('Running…').waitFor()
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Variables')
  check()
})
