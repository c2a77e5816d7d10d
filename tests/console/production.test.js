// A production run from Deploy to its log, by clicks.

import test from 'node:test'
import { openConsole } from './browser.js'

test('a production run in emergency mode and its end', async t => {
  const { page, check, advance } = await openConsole(t, '/program/4/overview')
  const button = name => page.getByRole('button', { name, exact: true })
  const card = name => page.getByRole('region', { name, exact: true })
  await button('Deploy').click()
  await button('Build').click()
  await page.getByRole('dialog', { name: 'Run Pipeline' }).getByRole('button', { name: 'Emergency Mode', exact: true }).click()
  await page.getByText('Execution running in Emergency Mode').waitFor()

  await advance({ by: 'PT1H' })
  await card('Application for Approval').getByText('Waiting', { exact: true }).waitFor()
  await card('Deploy to Stage').getByText('Finished', { exact: true }).waitFor()
  await page.waitForFunction(() => !document.querySelector('section[aria-label="Security Testing"]'))
  await card('Application for Approval').getByRole('button', { name: 'Approve', exact: true }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Approve', exact: true }).click()
  await card('Deploy to Production').getByText('In progress', { exact: true }).waitFor()

  await advance({ by: 'PT1H' })
  await card('Deploy to Production').getByText('Finished', { exact: true }).waitFor()
  await button('Download build log').click()
  await page.getByRole('log').locator('div').first().waitFor()
  check()
})

test('a failed gate is overridden in its dialog', async t => {
  const { page, url, check, advance } = await openConsole(t, '/program/4/pipelines')
  const scenario = { steps: [{ action: 'codeQuality', metrics: { coverage: '41.3' } }] }
  await fetch(`${url}/_emulator/program/4/pipeline/1/scenario`, { method: 'PUT', body: JSON.stringify(scenario) })
  await page.getByRole('row', { name: /Production Pipeline/ }).getByRole('button', { name: 'Run', exact: true }).click()
  await page.getByRole('button', { name: 'Normal Mode', exact: true }).click()
  await page.getByRole('region', { name: 'Validation' }).getByText('In progress', { exact: true }).waitFor()
  await advance({ by: 'PT1H' })
  const card = page.getByRole('region', { name: 'Code Scanning' })
  await card.getByText('Waiting', { exact: true }).waitFor()
  await card.getByRole('button', { name: 'Review Summary' }).click()
  const dialog = page.getByRole('dialog', { name: 'Code Scanning Results' })
  await dialog.getByText('Code coverage is 50% or more').waitFor()
  await dialog.getByRole('button', { name: 'Override', exact: true }).click()
  await card.getByText('Finished', { exact: true }).waitFor()
  check()
})
