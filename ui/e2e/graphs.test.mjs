// What is measured, over time: one axis for all, and ways between the graphs and the log.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { appears, eventually, shows, vanishes } from './harness/expect.mjs';
import { environmentRoute, processRoute } from './harness/routes.mjs';
import { useStage } from './harness/stage.mjs';
import { nasty, node } from './harness/workspace.mjs';

/** @typedef {import('playwright-core').Page} Page */

/** @type {import('./harness/workspace.mjs').Workspace} */ let workspace;

const stage = useStage(async (stage) => {
  workspace = await stage.trusted({
    dev: [
      { name: 'steady', command: node(() => setInterval(() => console.log('INFO still here'), 200)) },
      { name: 'falls', command: nasty('eprint', 'ERROR it is over', 'exit', 3), auto_restart: { delay: '10m' } },
    ],
  });
  await stage.forge.run('-C', workspace.folder, 'start', 'dev', '-d');
});

/** @param {Page} page @param {string} id */
const chart = (page, id) => page.getByTestId(`graph-${id}`);

/** All that there is to draw is drawn. @param {Page} page */
async function drawn(page) {
  for (const id of ['cpu', 'memory', 'threads', 'files']) await appears(chart(page, id).locator('canvas'));
}

test('what is measured is drawn, with the newest figure beside its title', () =>
  stage.visit(environmentRoute(workspace, 'dev', 'graphs'), async (page) => {
    await drawn(page);
    await shows(chart(page, 'memory').locator('figcaption'), /Memory ?\d+ MB/);
    await shows(chart(page, 'threads').locator('figcaption'), /Threads ?\d+/);
    await shows(page.getByRole('table', { name: 'Figures' }), /steady \d+\.\d % \d+ MB/);
  }));

test('dragging zooms all charts, a double click shows all again, and ranges can be chosen', () =>
  stage.visit(environmentRoute(workspace, 'dev', 'graphs'), async (page) => {
    await drawn(page);
    const box = await chart(page, 'cpu').locator('.u-over').boundingBox();
    assert.ok(box, 'the chart is there');
    await page.mouse.move(box.x + box.width * 0.6, box.y + 20);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.9, box.y + 30, { steps: 4 });
    await page.mouse.up();
    const zoomed = page.getByRole('button', { name: /Zoomed in/ });
    await appears(zoomed);
    await chart(page, 'memory').locator('.u-over').dblclick();
    await vanishes(zoomed);
    for (const span of ['15 min', '1 h', '24 h']) {
      await page.getByRole('group', { name: 'Time shown' }).getByRole('button', { name: span }).click();
      await drawn(page);
    }
  }));

test('a crash stands on the axis, and leads to the log at that moment', () =>
  stage.visit(environmentRoute(workspace, 'dev', 'graphs'), async (page) => {
    const mark = page.getByTestId('mark-crash').first();
    await appears(mark);
    assert.match((await mark.getAttribute('title')) ?? '', /falls: .*exit 3/);
    await mark.click();
    await shows(page.getByTestId('log-line'), 'ERROR it is over');
    await eventually(() => page.getByTestId('log').evaluate((log) => log.querySelectorAll('[aria-current]').length), (count) => count === 1, 'the moment is marked');
  }));

test('a moment is kept by a click or a key, and leads to the log; a line leads back', () =>
  stage.visit(processRoute(workspace, 'dev', 'steady', 'graphs'), async (page) => {
    await drawn(page);
    await eventually(async () => {
      await page.keyboard.press('ArrowLeft');
      return page.getByTestId('log-at').count();
    }, (count) => count === 1, 'a key keeps a moment');
    await page.keyboard.press('Escape');
    await vanishes(page.getByTestId('log-at'));
    await chart(page, 'cpu').locator('.u-over').click({ position: { x: 200, y: 30 } });
    await appears(page.getByTestId('log-at'));
    await page.keyboard.press('ArrowRight');
    await page.getByTestId('log-at').click();
    await shows(page.getByTestId('log-line'), 'still here');
    await appears(page.getByTestId('log-resume'));
    await page.getByTestId('log-line').first().click();
    await page.keyboard.press('v');
    await drawn(page);
    await appears(page.getByTestId('log-at'));
  }));

test('one line can be hidden, or shown alone', () =>
  stage.visit(environmentRoute(workspace, 'dev', 'graphs'), async (page) => {
    await drawn(page);
    const pressed = (/** @type {string} */ name) => page.getByRole('button', { name, exact: true }).getAttribute('aria-pressed');
    await page.getByRole('button', { name: 'falls', exact: true }).click();
    await eventually(() => pressed('falls'), (value) => value === 'false', 'it is hidden');
    await page.getByRole('button', { name: 'falls', exact: true }).click({ modifiers: ['Control'] });
    await eventually(async () => [await pressed('falls'), await pressed('steady')], ([falls, steady]) => falls === 'true' && steady === 'false', 'it is alone');
    await page.getByRole('button', { name: /Stacked/ }).click();
    await drawn(page);
  }));
