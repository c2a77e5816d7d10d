// What people do with executions, by clicks: approve, schedule, start a managed deployment, re-execute.

import assert from 'node:assert/strict'
import test from 'node:test'
import { openConsole } from './browser.js'
import { on, run, setScenario, started } from './people.js'

test('a deployment is approved, scheduled in the time zone of the browser, and started by Adobe', async t => {
  // New York leaves daylight saving time on 7 November 2027.
  const { context, page, check, advance } = await openConsole(t, '/program/5/pipelines', { timezoneId: 'America/New_York' })
  const { button, card, confirm } = on(page)
  await run(page, /Production Pipeline/)
  await page.waitForURL(/\/program\/5\/pipeline\/7\/execution\/953671$/)
  await started(card('Validation'))
  assert.equal(await page.getByRole('dialog').count(), 0, 'emergency mode is not activated')

  await advance({ by: 'PT1H' })
  await card('Deploy to Stage').getByText('Finished', { exact: true }).waitFor()
  await button('Approve').click()
  await started(card('Security Testing'))
  await advance({ by: 'PT1H' })
  await button('Approve').click()
  await confirm('Approve')

  // A second page follows what the first does.
  const second = await context.newPage()
  await second.goto(page.url())
  const schedule = card('Schedule Production Deployment')
  await schedule.getByLabel('Date and time').check()
  await schedule.getByLabel('In America/New_York').fill('2027-11-08T09:30')
  await schedule.getByText('2027-11-08T14:30:00.000Z').waitFor()
  await schedule.getByRole('button', { name: 'Confirm', exact: true }).click()
  await schedule.getByText(/The deployment is scheduled for .*9:30/).waitFor()
  await on(second).card('Schedule Production Deployment').getByText('The deployment is scheduled for').waitFor()

  await advance({ to: '2027-11-08T14:30:00Z' })
  await button('Start managed deployment').click()
  await started(card('Deploy to Production'))
  await advance({ by: 'PT1H' })
  for (const { card } of [on(page), on(second)]) {
    await card('Deploy to Production').getByText('Finished', { exact: true }).waitFor()
  }
  check()
})

test('a failed production deployment is re-executed, and copies its artifacts', async t => {
  const { page, url, check, advance } = await openConsole(t, '/program/4/pipelines')
  const { button, card, confirm } = on(page)
  await setScenario(url, '/program/4/pipeline/1', [{ action: 'deploy', environmentType: 'prod', outcome: 'FAILED', message: 'The disk is full.' }])
  await run(page, /Production Pipeline/)
  await button('Normal Mode').click()
  await started(card('Validation'))
  await advance({ by: 'PT1H' })
  await button('Approve').click()
  await confirm('Approve')
  const production = card('Deploy to Production')
  await started(production)
  await advance({ by: 'PT1H' })
  await production.getByText('The disk is full.').waitFor()
  await production.getByRole('button', { name: 'Download build log', exact: true }).waitFor()
  await production.getByRole('button', { name: 'Re-execute', exact: true }).click()

  await page.waitForURL(/\/program\/4\/pipeline\/1\/execution\/953672$/)
  await card('Build & Unit Testing').getByText('Copying artifacts').waitFor()
  assert.equal(await card('Code Scanning').count(), 0, 'a re-execution has no other steps')
  check()
})

test('a failed stage deployment is not re-executed', async t => {
  const { page, url, check, advance } = await openConsole(t, '/program/4/pipelines')
  const { button, card } = on(page)
  await setScenario(url, '/program/4/pipeline/1', [{ action: 'deploy', environmentType: 'stage', outcome: 'FAILED' }])
  await run(page, /Production Pipeline/)
  await button('Normal Mode').click()
  await started(card('Validation'))
  await advance({ by: 'PT1H' })
  await card('Deploy to Stage').getByText('Failed', { exact: true }).waitFor()
  assert.equal(await button('Re-execute').count(), 0)
  check()
})

test('a paused deployment is resumed', async t => {
  const { page, url, check, advance } = await openConsole(t, '/program/4/pipelines')
  const { button, card } = on(page)
  await setScenario(url, '/program/4/pipeline/1', [{ action: 'deploy', environmentType: 'stage', outcome: 'PAUSED' }])
  await run(page, /Production Pipeline/)
  await button('Normal Mode').click()
  await started(card('Validation'))
  await advance({ by: 'PT1H' })
  await card('Deploy to Stage').getByText('Waiting', { exact: true }).waitFor()
  await button('Resume').click()
  await started(card('Deploy to Stage'))
  await advance({ by: 'PT1H' })
  await card('Deploy to Stage').getByText('Finished', { exact: true }).waitFor()
  check()
})
