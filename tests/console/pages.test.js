// Every page shows what there is, without an error and without leaving its origin.

import assert from 'node:assert/strict'
import test from 'node:test'
import { openConsole } from './browser.js'

for (const [path, heading, content] of [
  ['/program/4/overview', 'We.Retail Global', 'Deploy your Program'],
  ['/program/4/pipelines', 'Pipelines', 'Production Pipeline'],
  ['/program/4/activity', 'Activity', 'Nothing has run here yet'],
  ['/program/4/environments', 'Environments', 'weretail-global-b75-prod'],
  ['/program/4/repositories', 'Repositories', 'develop'],
  ['/emulator', 'Emulator', 'Clock and timers'],
  ['/program/4/pipeline/1/execution/new', 'Production Pipeline', 'Start Pipeline']
]) {
  test(`the page ${path}`, async t => {
    const { page, check } = await openConsole(t, path)
    await page.getByRole('heading', { name: heading, level: 1 }).waitFor()
    await page.getByText(content).first().waitFor()
    await page.setViewportSize({ width: 360, height: 800 })
    const width = await page.evaluate(() => document.documentElement.scrollWidth)
    assert.ok(width <= 360, `${path} is ${width} pixels wide`)
    check()
  })
}


test('times are shown in UTC on request, and the choice is kept', async t => {
  const { page, url, check } = await openConsole(t, '/emulator')
  const choice = page.getByLabel('Show times')
  assert.equal(await choice.inputValue(), 'local')
  await choice.selectOption('UTC')
  const commits = `${url}/_emulator/program/5/repository/2/branch/develop/commits`
  const commit = await fetch(commits, { method: 'POST', body: '{}' })
  assert.equal((await commit.json()).executionIds.length, 1)
  await page.getByRole('region', { name: 'Clock and timers' }).getByText(/ UTC$/).first().waitFor()
  await page.reload()
  await page.getByLabel('Show times').waitFor()
  assert.equal(await choice.inputValue(), 'UTC')
  check()
})
