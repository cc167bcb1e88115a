// Without a mouse.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { appears, eventually, shows, vanishes } from './harness/expect.mjs';
import { environmentRoute } from './harness/routes.mjs';
import { useStage } from './harness/stage.mjs';
import { nasty } from './harness/workspace.mjs';

/** @typedef {import('playwright-core').Page} Page */

/** @type {import('./harness/workspace.mjs').Workspace} */ let workspace;

const stage = useStage(async (stage) => {
  const one = (/** @type {string} */ name) => ({ name, command: nasty('print', `${name} is here`, 'forever') });
  workspace = await stage.trusted({ dev: [one('first'), one('second'), one('third')] });
});

/** What has the focus. @param {Page} page */
const focused = (page) => page.evaluate(() => document.activeElement?.getAttribute('data-testid') ?? document.activeElement?.textContent?.trim() ?? '');

/** Presses Tab until something has the focus. @param {Page} page @param {string} testid */
async function tabTo(page, testid) {
  for (let presses = 0; presses < 60; presses += 1) {
    if ((await focused(page)) === testid) return;
    await page.keyboard.press('Tab');
  }
  assert.fail(`Tab does not lead to ${testid}`);
}

test('the palette finds Stop dev and runs it', () =>
  stage.visit('/', async (page) => {
    await stage.forge.run('-C', workspace.folder, 'start', 'dev');
    await shows(page.getByTestId('environment-dev'), 'running');
    await page.keyboard.press('Control+k');
    const palette = page.getByTestId('palette');
    await appears(palette);
    await page.keyboard.type('stop dev');
    await shows(palette.getByRole('option', { selected: true }), 'Stop dev');
    await page.keyboard.press('Enter');
    await vanishes(palette);
    await shows(page.getByTestId('environment-dev'), 'stopped');
  }));

test('the palette goes to a process by a part of its name, and Escape leaves it', () =>
  stage.visit('/', async (page) => {
    await shows(page.getByRole('main'), 'Environments');
    await page.keyboard.press('Control+k');
    await page.keyboard.type('secnd');
    await shows(page.getByTestId('palette').getByRole('option', { selected: true }), 'second');
    await page.keyboard.press('Enter');
    await shows(page.getByRole('heading', { level: 1 }), /dev \/ second/);
    await page.keyboard.press('Control+k');
    await page.keyboard.type('zzzzzz');
    await shows(page.getByTestId('palette'), 'Nothing of that name');
    await page.keyboard.press('Escape');
    await vanishes(page.getByTestId('palette'));
  }));

test('a dialogue that is cancelled gives the focus back', () =>
  stage.visit('/', async (page) => {
    const add = page.getByRole('button', { name: 'Add workspace' });
    await add.focus();
    await page.keyboard.press('Enter');
    const cancel = page.getByRole('button', { name: 'Cancel' });
    await appears(cancel);
    await cancel.focus();
    await page.keyboard.press('Enter');
    await vanishes(cancel);
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('aria-label')), 'Add workspace');
  }));

test('Tab reaches the table, arrows choose, and letters start, restart, stop and open', () =>
  stage.visit(environmentRoute(workspace, 'dev'), async (page) => {
    await shows(page.getByTestId('process-second-status'), 'stopped');
    await tabTo(page, 'process-first');
    await page.keyboard.press('ArrowDown');
    assert.equal(await focused(page), 'process-second');
    const ring = await page.getByTestId('process-second').evaluate((row) => {
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(row);
      return `${outlineStyle} ${outlineWidth} ${boxShadow}`;
    });
    assert.doesNotMatch(ring, /^none .* none$|^\S+ 0px none$/, 'one sees which row has the focus');

    await page.keyboard.press('s');
    await shows(page.getByTestId('process-second-status'), 'ready');
    await shows(page.getByTestId('process-first-status'), 'stopped');
    await page.keyboard.press('r');
    await shows(page.getByRole('main').getByRole('listitem'), 'restarting');
    await shows(page.getByTestId('process-second-status'), 'ready');
    await page.keyboard.press('x');
    await shows(page.getByTestId('process-second-status'), 'stopped');
    assert.equal(await focused(page), 'process-second', 'the focus stays through all of it');
    await page.keyboard.press('Enter');
    await shows(page.getByRole('heading', { level: 1 }), /dev \/ second/);
    await page.keyboard.press('u');
    await appears(page.getByTestId('process-second'));
  }));

test('J goes into the table from anywhere, and U back to the row that one came from', () =>
  stage.visit(environmentRoute(workspace, 'dev'), async (page) => {
    await appears(page.getByTestId('process-second'));
    await page.keyboard.press('j');
    assert.equal(await focused(page), 'process-first');
    await page.keyboard.press('j');
    assert.equal(await focused(page), 'process-second');
    await page.keyboard.press('Enter');
    await shows(page.getByRole('heading', { level: 1 }), /dev \/ second/);
    await page.keyboard.press('u');
    await eventually(() => focused(page), (row) => row === 'process-second', 'its row has the focus');
    await page.keyboard.press('u');
    await shows(page.getByRole('heading', { level: 1 }), 'Environments');
    await eventually(() => focused(page), (row) => /dev$/.test(row), 'the environment that one came from has the focus');
    await page.keyboard.press('Enter');
    await appears(page.getByTestId('process-second'));
  }));

test('the first Tab leads past the sidebar', () =>
  stage.visit(environmentRoute(workspace, 'dev'), async (page) => {
    await appears(page.getByTestId('process-first'));
    await page.keyboard.press('Tab');
    assert.equal(await focused(page), 'Skip to the content');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    const inMain = await page.evaluate(() => document.activeElement?.closest('main') !== null);
    assert.ok(inMain, 'what comes next is in the content');
  }));

test('an environment is started and stopped with Tab and Enter alone', () =>
  stage.visit(environmentRoute(workspace, 'dev'), async (page) => {
    await shows(page.getByTestId('process-first-status'), 'stopped');
    await tabTo(page, 'start-dev');
    await page.keyboard.press('Enter');
    await shows(page.getByTestId('environment-dev'), 'running');
    await tabTo(page, 'stop-dev');
    await page.keyboard.press('Enter');
    await shows(page.getByTestId('environment-dev'), 'stopped');
  }));

test('the menu of a row opens, is walked, and closes with the focus where it was', () =>
  stage.visit(environmentRoute(workspace, 'dev'), async (page) => {
    const trigger = page.getByRole('button', { name: 'More for first' });
    await trigger.focus();
    await page.keyboard.press('Enter');
    await eventually(() => focused(page), (text) => text === 'Show log', 'the first item has the focus');
    await page.keyboard.press('Escape');
    await vanishes(page.getByRole('menu'));
    assert.ok(await trigger.evaluate((button) => button === document.activeElement));
    await page.keyboard.press('Enter');
    await page.keyboard.press('Enter');
    await appears(page.getByTestId('log'));
  }));

test('? shows the keys, and they do what it says', () =>
  stage.visit(environmentRoute(workspace, 'dev'), async (page) => {
    await appears(page.getByTestId('process-first'));
    await page.keyboard.press('?');
    const help = page.getByRole('dialog', { name: 'Keyboard' });
    await shows(help, 'In a table of processes');
    await page.keyboard.press('Escape');
    await vanishes(page.locator('dialog'));
    await page.keyboard.press('2');
    await appears(page.getByTestId('log'));
    await page.keyboard.press('/');
    assert.equal(await focused(page), 'log-search');
    await page.keyboard.type('?');
    await vanishes(help);
    await page.keyboard.press('Escape');
    await page.keyboard.press('g');
    await page.keyboard.press('e');
    await eventually(() => page.url(), (url) => url.endsWith('/events'), 'g e goes to the events');
    await page.keyboard.press('g');
    await page.keyboard.press('h');
    await eventually(() => page.url(), (url) => url.endsWith('#/'), 'g h goes home');
    await page.keyboard.press('Control+b');
    await appears(page.getByRole('button', { name: 'Widen the sidebar' }));
  }));

test('the palette opens where two workspaces have the same name', async () => {
  const twin = await stage.trusted({ dev: [{ name: 'twin', command: nasty('forever') }] }, workspace.name);
  await stage.visit('/', async (page) => {
    await eventually(
      () => page.getByTestId('environment-dev').count(),
      (count) => count === 2,
      'both are shown',
    );
    await page.keyboard.press('Control+k');
    await appears(page.getByTestId('palette'));
    await page.keyboard.type('twin');
    await shows(page.getByTestId('palette').getByRole('option', { selected: true }), 'twin');
    await page.keyboard.press('Enter');
    await shows(page.getByRole('heading', { level: 1 }), /dev \/ twin/);
    assert.ok(page.url().includes(encodeURIComponent(twin.folder)), 'it is the right one');
  });
});
