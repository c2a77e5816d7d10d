// With strict authentication, the console acts as a client of the seed, and may do what its roles may.

import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { openConsole } from './browser.js'
import { on, run, started } from './people.js'

const client = (name, roles) => `
  - clientId: ${name}
    clientSecret: secret
    technicalAccountId: ${name}@techacct.adobe.com
    tenantId: "1"
    roles: [${roles}]`

/** Opens a page of an emulator with a client for each of some roles. */
async function openStrict (t, path) {
  const directory = await mkdtemp(join(tmpdir(), 'console-'))
  t.after(() => rm(directory, { recursive: true }))
  const demo = await readFile(new URL('../../src/seed/demo.yaml', import.meta.url), 'utf8')
  const clients = client('manager', 'deploymentManager') + client('programs', 'programManager') +
    client('engineer', 'customerSuccessEngineer') + client('coder', 'developer')
  const seed = join(directory, 'seed.yaml')
  await writeFile(seed, demo.replace('clients:\n', `clients:${clients}\n`))
  return openConsole(t, path, {}, ['--ephemeral', '--auth', 'strict', '--seed', seed])
}

const actAs = (page, name) => page.getByLabel('Act as', { exact: true }).selectOption(name)

test('a Customer Success Engineer starts a managed deployment, and nobody else', async t => {
  const { page, advance, check } = await openStrict(t, '/program/5/pipelines')
  const { button, card, confirm } = on(page)
  await button('Act as manager').click()
  await run(page, /Production Pipeline/)
  await started(card('Validation'))
  await advance({ by: 'PT30M' })
  await button('Approve').click()
  await started(card('Security Testing'))
  await advance({ by: 'PT20M' })
  await button('Approve').click()
  await confirm('Approve')
  await button('Confirm').click()
  await advance({ by: 'PT1M' })

  const managed = card('CSE Support')
  await managed.getByText('This needs the role Customer Success Engineer.').waitFor()
  assert.ok(await button('Start managed deployment').isDisabled())
  await actAs(page, 'engineer')
  await button('Start managed deployment').click()
  await started(card('Deploy to Production'))
  check()
})

test('what a role may not do is disabled, with the role that may', async t => {
  const { page, advance, check } = await openStrict(t, '/program/4/pipelines')
  const { button, card } = on(page)
  await button('Act as coder').click()
  const row = page.getByRole('row', { name: /Code quality/ })
  await row.getByText('This needs the role Business Owner, Deployment Manager, or Program Manager.').waitFor()
  assert.ok(await row.getByRole('button', { name: 'Run', exact: true }).isDisabled())

  await actAs(page, 'programs')
  await run(page, /Code quality/)
  await started(card('Validation'))
  await advance({ by: 'PT2S' })
  // A Program Manager answers what waits, but does not cancel what runs.
  await card('Build & Unit Testing').getByText('This needs the role Business Owner or Deployment Manager.').waitFor()
  assert.ok(await button('Cancel').isDisabled())
  check()
})

test('the token is renewed when it expires, and is kept nowhere else', async t => {
  const { page, advance, check } = await openStrict(t, '/program/4/overview')
  await on(page).button('Act as manager').click()
  await page.getByRole('heading', { name: 'We.Retail Global' }).waitFor()
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]))
  assert.ok(!kept.includes('eyJ'), kept)
  // Tokens live for a day.
  await advance({ by: 'P2D' })
  await page.getByRole('link', { name: 'Pipelines', exact: true }).click()
  await page.getByRole('row', { name: /Code quality/ }).waitFor()
  await page.reload()
  await on(page).button('Act as manager').waitFor()
  check(message => !message.includes('401'))
})
