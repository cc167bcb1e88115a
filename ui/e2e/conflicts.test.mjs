// A port that somebody else holds.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, test } from 'node:test';

import { appears, eventually, shows, vanishes } from './harness/expect.mjs';
import { environmentRoute } from './harness/routes.mjs';
import { useStage } from './harness/stage.mjs';
import { freePorts, nasty } from './harness/workspace.mjs';

/** @type {import('./harness/workspace.mjs').Workspace} */ let workspace;
/** @type {import('node:child_process').ChildProcess} */ let holder;
let port = 0;

const stage = useStage(async (stage) => {
  [port] = /** @type {[number]} */ (await freePorts(1));
  const [program, ...words] = /** @type {[string, ...string[]]} */ (nasty('listen', port));
  holder = spawn(program, words, { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(/** @type {import('node:stream').Readable} */ (holder.stdout), 'data');
  workspace = await stage.trusted({
    dev: [{ name: 'web', command: nasty('listen', 'env', '--http', 200), port, health_check: `http://127.0.0.1:${port}/` }],
  });
});

after(() => holder?.kill('SIGKILL'));

/** What was asked for here and refused; the supervisor may say it of itself. @param {import('playwright-core').Page} page */
const conflictOf = (page) => page.locator('main [data-testid^="notice-"], main [data-testid="refusal"]');

test('a start says who holds the port, and Use port N moves there', () =>
  stage.visit(environmentRoute(workspace, 'dev'), async (page) => {
    await page.getByRole('main').getByTestId('start-dev').click();
    const refusal = conflictOf(page);
    await shows(refusal, `${port}`);
    await shows(refusal, `PID ${holder.pid}`);
    await shows(refusal, 'nasty');
    const move = refusal.getByRole('button', { name: /Use port \d+/ });
    const next = Number((await move.innerText()).match(/\d+/)?.[0]);
    assert.notEqual(next, port, 'another one is proposed');
    await move.click();
    await shows(page.getByTestId('process-web-status'), 'ready');
    await vanishes(refusal);
    const link = page.getByTestId('process-web').getByRole('link', { name: String(next) });
    assert.match((await link.getAttribute('href')) ?? '', new RegExp(`:${next}(/|$)`));
    await page.getByRole('main').getByTestId('stop-dev').click();
    await shows(page.getByTestId('process-web-status'), 'stopped');
  }));

test('ending the holder wants a confirmation that names it', () =>
  stage.visit(environmentRoute(workspace, 'dev'), async (page) => {
    await page.getByRole('main').getByTestId('start-dev').click();
    const stopIt = conflictOf(page).getByRole('button', { name: 'Stop it and start' });
    const dialog = page.getByRole('dialog', { name: 'End what holds the port?' });
    await stopIt.click();
    for (const fact of [`${holder.pid}`, `${port}`, `listen ${port}`, process.env.USER ?? 'root']) await shows(dialog, fact);
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await vanishes(dialog);
    assert.equal(holder.exitCode ?? holder.signalCode, null, 'nothing is ended before it is confirmed');

    await stopIt.click();
    await appears(dialog);
    await dialog.getByRole('button', { name: 'End it and start' }).click();
    await shows(page.getByTestId('process-web-status'), 'ready');
    await eventually(() => holder.exitCode ?? holder.signalCode, (end) => end !== null, 'the holder has ended');
    await appears(page.getByTestId('process-web').getByRole('link', { name: String(port) }));
  }));
