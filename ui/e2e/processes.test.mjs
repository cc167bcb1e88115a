// A process's page and its parts.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { appears, eventually, shows, vanishes } from './harness/expect.mjs';
import { processRoute } from './harness/routes.mjs';
import { useStage } from './harness/stage.mjs';
import { freePorts, nasty } from './harness/workspace.mjs';

/** @typedef {import('playwright-core').Page} Page */

/** @type {import('./harness/workspace.mjs').Workspace} */ let workspace;
let [sound, sick] = [0, 0];

const stage = useStage(async (stage) => {
  [sound, sick] = /** @type {[number, number]} */ (await freePorts(2));
  const check = (/** @type {number} */ port) => ({ http: `http://127.0.0.1:${port}/healthz`, interval: '200ms', retries: 2 });
  workspace = await stage.trusted({
    dev: [
      {
        name: 'api',
        command: nasty('listen', sound, '--http', 200),
        port: sound,
        health_check: check(sound),
        env: { GREETING: '<b>hello</b>', API_TOKEN: 'hunter2-hunter2', DATABASE_PASSWORD: 'swordfish' },
      },
      { name: 'sick', command: nasty('listen', sick, '--http', 200, '--flip', 4), port: sick, health_check: check(sick), depends_on: ['api'] },
      { name: 'console', command: nasty('tty-size', 'print', 'ask me', 'echo'), tty: true },
    ],
  });
  await stage.forge.run('-C', workspace.folder, 'start', 'dev');
});

/** @param {string} name @param {string} [tab] */
const route = (name, tab) => processRoute(workspace, 'dev', name, tab);

/** @param {Page} page */
const main = (page) => page.getByRole('main');

test('the overview has the command, the folder, the PID and whom it needs', () =>
  stage.visit(route('sick'), async (page) => {
    await shows(main(page), `listen ${sick} --http 200`);
    await shows(main(page), workspace.folder);
    await shows(main(page), /PID \d+/);
    await main(page).getByRole('link', { name: /api/ }).first().click();
    await shows(page.getByRole('heading', { level: 1 }), /dev \/ api/);
    await shows(main(page), /Needed by .*sick/);
  }));

test('a health check that fails is shown at once, with what it said', () =>
  stage.visit(route('sick', 'health'), async (page) => {
    const table = page.getByRole('table', { name: 'Health history' });
    await shows(table, /unhealthy .*503/);
    await shows(table, /healthy HTTP 200/);
    const states = await table.getByRole('row').allInnerTexts();
    assert.match(states[1] ?? '', /unhealthy/, 'the newest is on top');
    await shows(page.getByTestId('process-sick-status'), 'unhealthy');
  }));

test('secrets among the variables are masked, the rest is shown with its origin', () =>
  stage.visit(route('api', 'env'), async (page) => {
    const table = page.getByRole('table', { name: 'Environment variables' });
    await shows(table, 'GREETING');
    await shows(table, '<b>hello</b>');
    await shows(table, 'API_TOKEN');
    const all = await page.content();
    assert.doesNotMatch(all, /hunter2|swordfish/, 'no secret is anywhere in the page');
    await page.getByRole('textbox', { name: 'Filter variables' }).fill('greet');
    await eventually(() => table.getByRole('row').count(), (count) => count === 2, 'the filter leaves one, and the head');
    await page.getByRole('textbox', { name: 'Filter variables' }).fill('');
    await page.getByRole('checkbox').check();
    await shows(table, 'PATH');
  }));

test('the terminal of a tty process shows what it says, takes what is typed, and follows the window', () =>
  stage.visit(route('console', 'terminal'), async (page) => {
    const screen = page.locator('.xterm-rows');
    await shows(screen, 'ask me');
    await page.keyboard.type('how are you?\n');
    await shows(screen, 'got: how are you?');
    const columns = async () => Number([...(await screen.innerText()).replace(/\u00a0/g, ' ').matchAll(/rows (\d+) columns/g)].at(-1)?.[1] ?? 0);
    const wide = await eventually(columns, (count) => count > 60, 'it has the width of the page');
    await page.setViewportSize({ width: 900, height: 700 });
    await eventually(columns, (count) => count > 20 && count < wide - 20, 'it is told that it became narrower');
    // A key that means something elsewhere goes to the terminal.
    await page.keyboard.type('?\n');
    await shows(screen, 'got: ?');
    await vanishes(page.getByRole('dialog'));
  }));

test('a terminal is left with one chord, which it tells, and then the page has its keys again', () =>
  stage.visit(route('console', 'terminal'), async (page) => {
    await shows(page.locator('.xterm-rows'), 'ask me');
    const inside = () => page.evaluate(() => document.activeElement?.closest('.xterm') !== null);
    await eventually(inside, Boolean, 'the terminal has the focus');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Escape');
    assert.ok(await inside(), 'other keys are the program’s');
    await shows(main(page), /Ctrl ?\+ ?Shift ?\+ ?Enter leaves the terminal/);
    await page.keyboard.press('Control+Shift+Enter');
    const focused = () => page.evaluate(() => document.activeElement?.textContent?.trim());
    assert.equal(await focused(), 'Terminal', 'one is back at what chose it');
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'Events', 'and goes on from there');
    await page.keyboard.press('?');
    await shows(page.getByRole('dialog', { name: 'Keyboard' }), /CtrlShiftEnter|Ctrl Shift Enter/);
  }));

test('a process without a terminal says how it would get one', () =>
  stage.visit(route('api', 'terminal'), async (page) => {
    await shows(main(page), 'tty: true');
  }));

test('its own log, graphs and events are about it alone', () =>
  stage.visit(route('api', 'logs'), async (page) => {
    await shows(page.getByTestId('log-line'), `listening on 127.0.0.1:${sound}`);
    await page.getByRole('link', { name: 'Graphs' }).click();
    await appears(page.getByTestId('graph-cpu'));
    await eventually(() => page.getByRole('table', { name: 'Figures' }).getByRole('rowheader').allInnerTexts(), (names) => names.join() === 'api', 'one line');
    await page.getByRole('link', { name: 'Events' }).click();
    await shows(main(page).getByRole('listitem'), 'started');
    assert.equal(await main(page).getByRole('listitem').filter({ hasText: 'sick' }).count(), 0);
  }));
