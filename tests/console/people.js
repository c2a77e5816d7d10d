// What people do with the pages.

import assert from 'node:assert/strict'

/** What is on a page, by the names that people see. */
export const on = page => ({
  button: name => page.getByRole('button', { name, exact: true }),
  card: name => page.getByRole('region', { name, exact: true }),
  // A question repeats the name of the button that asks it.
  confirm: name => page.getByRole('dialog').getByRole('button', { name, exact: true }).click()
})

/** Waits until a call that starts a step has been answered, before the clock moves. */
export const started = card => card.getByText('In progress', { exact: true }).waitFor()

/** Sets how the next executions of a pipeline go. */
export async function setScenario (url, pipeline, steps) {
  const answer = await fetch(`${url}/_emulator${pipeline}/scenario`, { method: 'PUT', body: JSON.stringify({ steps }) })
  assert.equal(answer.status, 200, await answer.text())
}

/** Runs a pipeline on the page of pipelines. */
export const run = (page, pipeline) =>
  page.getByRole('row', { name: pipeline }).getByRole('button', { name: 'Run', exact: true }).click()
