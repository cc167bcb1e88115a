// Ten thousand lines a second: the page answers, and stays as big as it was.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { appears, eventually } from '../harness/expect.mjs';
import { environmentRoute } from '../harness/routes.mjs';
import { useStage } from '../harness/stage.mjs';
import { flooding } from '../harness/workspace.mjs';

/** @typedef {import('playwright-core').Page} Page */

const RATE = 10_000;

/** @type {import('../harness/workspace.mjs').Workspace} */ let workspace;

const stage = useStage(async (stage) => {
  workspace = await stage.trusted({ dev: [{ name: 'flood', command: flooding(RATE) }] });
  await stage.forge.run('-C', workspace.folder, 'start', 'dev');
});

/** The number of the newest line in sight. @param {Page} page */
async function newest(page) {
  const texts = await page.getByTestId('log-line').allTextContents();
  return Math.max(0, ...texts.map((text) => Number(/request (\d+)/.exec(text)?.[1] ?? 0)));
}

/** Megabytes that the page's scripts hold, after all that is garbage went. @param {Page} page */
async function heap(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  await session.detach();
  return usedSize / 1e6;
}

test('a click is answered while the log flies by', () =>
  stage.visit(environmentRoute(workspace, 'dev', 'logs'), async (page) => {
    const start = await eventually(() => newest(page), (number) => number > 0, 'lines are shown');
    const wrap = page.getByRole('button', { name: /Wrap/ });
    const pressed = () => wrap.getAttribute('aria-pressed');
    for (let round = 0; round < 4; round += 1) {
      const before = await pressed();
      await wrap.click();
      await eventually(pressed, (now) => now !== before, 'it is pressed');
    }
    await eventually(() => newest(page), (number) => number > start, 'the log goes on meanwhile');
    await page.getByRole('link', { name: 'Processes' }).click();
    await appears(page.getByTestId('process-flood'));
  }));

test('the page does not grow with the log', (t) =>
  stage.visit(environmentRoute(workspace, 'dev', 'logs'), async (page) => {
    // More than the page keeps has to come first.
    const start = await eventually(() => newest(page), (number) => number > 0, 'lines are shown');
    const full = await eventually(() => newest(page), (number) => number > start + 40_000, 'its ring is full', 30_000);
    const before = await heap(page);
    await eventually(() => newest(page), (number) => number > full + 80_000, 'much more comes', 40_000);
    const [after, rows] = [await heap(page), await page.getByTestId('log-line').count()];
    t.diagnostic(`heap of the page: ${before.toFixed(1)} MB, 80,000 lines later ${after.toFixed(1)} MB; ${rows} rows in the document`);
    assert.ok(after < before + 25, `from ${before} MB to ${after} MB`);
    assert.ok(rows < 300, `${rows} rows`);
  }));

test('the newest line is of now, not of the past', (t) =>
  stage.visit(environmentRoute(workspace, 'dev', 'logs'), async (page) => {
    const age = () =>
      page.getByTestId('log-line').last().locator('.time').getAttribute('title').then((time) => Date.now() - Date.parse(time ?? ''));
    await eventually(() => newest(page), (number) => number > 0, 'lines are shown');
    const seen = await eventually(age, (milliseconds) => milliseconds < 1500, 'the newest line is less than 1.5 s old');
    t.diagnostic(`the newest line in sight is ${seen} ms old`);
  }));
