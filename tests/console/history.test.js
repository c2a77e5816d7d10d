// Activity with a long history: only the visible rows are in the document.

import assert from 'node:assert/strict'
import test from 'node:test'
import { openConsole } from './browser.js'

const COUNT = 100_000
const BATCH = 10_000

test('a history of 100,000 executions is shown page by page', async t => {
  const { page, url, check } = await openConsole(t, '/program/4/pipelines')
  for (let made = 0; made < COUNT; made += BATCH) {
    const body = JSON.stringify({ count: BATCH })
    const answer = await fetch(`${url}/_emulator/program/4/pipeline/3/history`, { method: 'POST', body })
    assert.equal(answer.status, 201, await answer.text())
  }
  await page.goto(`${url}/program/4/activity`)
  const rows = page.getByRole('row')
  await rows.nth(5).waitFor()
  const body = page.locator('.grid-body')
  for (let scrolled = 0; scrolled < 20; scrolled++) {
    const before = await body.evaluate(it => it.scrollHeight)
    await body.evaluate(it => { it.scrollTop = it.scrollHeight })
    // The next page has been read when the list is longer.
    await page.waitForFunction(height => (document.querySelector('.grid-body')?.scrollHeight ?? 0) > height, before)
    assert.ok(await rows.count() < 80, 'only the visible rows are in the document')
  }
  const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime)
  t.diagnostic(`first paint after ${Math.round(paint ?? 0)} ms`)
  check()
})
