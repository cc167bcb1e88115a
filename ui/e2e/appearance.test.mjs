// Light and dark, wide and narrow, and for everybody.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { after, test } from 'node:test';

import { appears, eventually, shows, vanishes } from './harness/expect.mjs';
import { environmentRoute, processRoute, workspaceRoute } from './harness/routes.mjs';
import { useStage } from './harness/stage.mjs';
import { freePorts, nasty } from './harness/workspace.mjs';

/** @typedef {import('playwright-core').Page} Page */

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const SCHEMES = /** @type {const} */ (['light', 'dark']);

/** @type {import('./harness/workspace.mjs').Workspace} */ let workspace;
/** @type {import('./harness/workspace.mjs').Workspace} */ let strange;
/** @type {import('./harness/workspace.mjs').Workspace} */ let broken;
/** Holds a port that is wanted. */
const holder = createServer();

const stage = useStage(async (stage) => {
  holder.listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const { port: taken } = /** @type {import('node:net').AddressInfo} */ (holder.address());
  const [port, gone] = /** @type {[number, number]} */ (await freePorts(2));
  workspace = await stage.trusted({
    dev: [
      { name: 'api', command: nasty('print', 'INFO \u001b[32mup\u001b[0m', 'eprint', 'ERROR \u001b[31mno\u001b[0m', 'print', 'WARN hm', 'listen', port, '--http', 200), port, health_check: `http://127.0.0.1:${port}/`, env: { API_KEY: 'secret' } },
      { name: 'web', command: nasty('forever'), port: gone, depends_on: ['api'] },
      { name: 'later', command: nasty('forever'), depends_on: ['web'] },
      { name: 'worker', command: nasty('eprint', 'ERROR cannot', 'exit', 2), auto_restart: { delay: '5m' } },
      { name: 'console', command: nasty('print', 'ask', 'echo'), tty: true },
      { name: 'off', command: nasty('forever'), disabled: true },
    ],
    calm: [{ name: 'one', command: nasty('forever') }],
    taken: [{ name: 'shop', command: nasty('forever'), port: taken }],
  });
  strange = stage.workspace({ new: [{ name: 'one', command: nasty('forever') }] }, 'strange');
  broken = stage.workspace(undefined, 'broken');
  broken.write('dev:\n  - name: one\n    command: "true"\n    dependson: [two]\n');
  await stage.forge.run('workspaces', 'add', strange.folder);
  await stage.forge.run('workspaces', 'add', broken.folder);
  await stage.forge.run('-C', workspace.folder, 'start', 'dev', '-d');
});

after(() => holder.close());

/** Serious faults of the page as it is, in both schemes. @param {Page} page @param {string} name */
async function check(page, name) {
  for (const colorScheme of SCHEMES) {
    await page.emulateMedia({ colorScheme });
    const violations = await page.evaluate(async () => {
      const { violations } = await /** @type {any} */ (window).axe.run({ resultTypes: ['violations'] });
      const places = (/** @type {any} */ each) => each.nodes.slice(0, 3).map((/** @type {any} */ node) => `${node.html.slice(0, 140)} ${node.any[0]?.message ?? ''}`);
      return violations
        .filter((/** @type {any} */ each) => each.impact === 'serious' || each.impact === 'critical')
        .map((/** @type {any} */ each) => [each.id, ...places(each)]);
    });
    assert.deepEqual(violations, [], `${name}, ${colorScheme}`);
  }
}

/** @typedef {[name: string, route: () => string, ready: (page: Page) => Promise<unknown>]} Place */

const main = (/** @type {Page} */ page) => page.getByRole('main');

/** @type {Place[]} */
const places = [
  ['home, with what needs attention', () => '/', (page) => Promise.all([shows(page.getByRole('table', { name: 'Environments' }), 'calm'), shows(main(page), 'worker crashed'), shows(main(page), 'broken')])],
  ['a configuration that cannot be read', () => workspaceRoute(broken), (page) => shows(page.getByTestId('problem'), 'depends_on')],
  ['ports', () => '/ports', (page) => shows(page.getByTestId('ports'), 'api')],
  ['a workspace', () => workspaceRoute(workspace), (page) => shows(main(page), 'What it runs')],
  ['a workspace that is not trusted', () => workspaceRoute(strange), (page) => appears(page.getByTestId('trust'))],
  ['an environment with a crash', () => environmentRoute(workspace, 'dev'), (page) => shows(main(page), 'worker crashed')],
  ['a stopped environment', () => environmentRoute(workspace, 'calm'), (page) => shows(page.getByTestId('process-one-status'), 'stopped')],
  ['logs', () => environmentRoute(workspace, 'dev', 'logs'), (page) => shows(page.getByTestId('log-line'), 'up')],
  ['patterns', () => environmentRoute(workspace, 'dev', 'patterns'), (page) => shows(main(page), 'cannot')],
  ['graphs', () => environmentRoute(workspace, 'dev', 'graphs'), (page) => appears(page.getByTestId('graph-memory').locator('canvas'))],
  ['events', () => environmentRoute(workspace, 'dev', 'events'), (page) => shows(main(page).getByRole('listitem'), 'started')],
  ['a process', () => processRoute(workspace, 'dev', 'api'), (page) => shows(main(page), 'Needed by')],
  ['a crashed process', () => processRoute(workspace, 'dev', 'worker'), (page) => shows(main(page), 'ERROR cannot')],
  ['variables', () => processRoute(workspace, 'dev', 'api', 'env'), (page) => shows(main(page), 'API_KEY')],
  ['health', () => processRoute(workspace, 'dev', 'api', 'health'), (page) => shows(main(page), 'HTTP 200')],
  ['a terminal', () => processRoute(workspace, 'dev', 'console', 'terminal'), (page) => shows(page.locator('.xterm-rows'), 'ask')],
  ['nothing there', () => environmentRoute(workspace, 'none'), (page) => shows(main(page), 'no such environment')],
];

/** Within the page: nothing is loaded anew. @param {Page} page @param {string} route */
const go = (page, route) => page.evaluate((hash) => (location.hash = hash), route);

test('no page has a serious fault of accessibility, light or dark', (t) =>
  stage.visit(
    '/',
    async (page) => {
      for (const [name, route, ready] of places) {
        await t.test(name, async () => {
          await go(page, route());
          await ready(page);
          await check(page, name);
        });
      }
    },
    { scripts: [AXE] },
  ));

test('what lies over the page has no serious fault of accessibility either', () =>
  stage.visit(
    environmentRoute(workspace, 'dev'),
    async (page) => {
      await shows(main(page), 'worker crashed');
      for (const [name, open] of /** @type {[string, () => Promise<void>][]} */ ([
        ['the palette', () => page.keyboard.press('Control+k')],
        ['the help', () => page.keyboard.press('?')],
        ['adding a workspace', () => page.getByRole('button', { name: 'Add workspace' }).click()],
      ])) {
        await open();
        await eventually(
          () => page.getByRole('dialog').count(),
          (count) => count === 1,
          `${name} opens`,
        );
        await check(page, name);
        await page.keyboard.press('Escape');
        await vanishes(page.locator('dialog'));
      }
      await page.getByRole('button', { name: 'More for api' }).click();
      await appears(page.getByRole('menu'));
      await check(page, 'the menu of a row');
      await go(page, processRoute(workspace, 'dev', 'api', 'logs'));
      await shows(page.getByTestId('log-line'), 'up');
      await page.keyboard.press('f');
      await page.getByTestId('log-until').fill('soon');
      await page.keyboard.press('Enter');
      await shows(page.getByRole('dialog'), 'That is no time');
      await check(page, 'more filters of the log');
    },
    { scripts: [AXE] },
  ));

test('a port that is in use, and the question before its holder is ended, have no serious fault of accessibility', () =>
  stage.visit(
    environmentRoute(workspace, 'taken'),
    async (page) => {
      await main(page).getByTestId('start-taken').click();
      const strip = page.locator('main [data-testid^="notice-"], main [data-testid="refusal"]');
      await shows(strip, 'is in use');
      await shows(strip, `forge -C ${workspace.folder} check`);
      await check(page, 'the notice');
      await strip.getByRole('button', { name: 'Stop it and start' }).click();
      await appears(page.getByRole('dialog', { name: 'End what holds the port?' }));
      await check(page, 'the question');
      await page.getByRole('button', { name: 'Cancel' }).click();
    },
    { scripts: [AXE] },
  ));

test('a lost connection has no serious fault of accessibility', () =>
  stage.visit(
    environmentRoute(workspace, 'dev'),
    async (page) => {
      await shows(main(page), 'worker crashed');
      await stage.forge.kill();
      try {
        await shows(main(page), 'Forge does not answer');
        await check(page, 'lost');
      } finally {
        await stage.forge.serve(stage.forge.port);
      }
    },
    { scripts: [AXE], tolerate: /WebSocket connection|Failed to load resource/ },
  ));

test('the page that asks for a token has no serious fault of accessibility', () =>
  stage.visit(
    '/',
    async (page) => {
      await shows(main(page), 'This page needs a token');
      await check(page, 'token');
    },
    { scripts: [AXE], token: null, tolerate: /WebSocket connection|Failed to load resource/ },
  ));

test('light and dark follow the system, at once, and both can be read', () =>
  stage.visit(environmentRoute(workspace, 'dev'), async (page) => {
    await shows(page.getByTestId('process-api-status'), 'ready');
    const look = () =>
      page.evaluate(() => {
        const channels = (/** @type {string} */ colour) => (colour.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number);
        const luminance = (/** @type {string} */ colour) => {
          const [red = 0, green = 0, blue = 0] = channels(colour).map((part) => {
            const share = part / 255;
            return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
          });
          return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
        };
        const { backgroundColor, color } = getComputedStyle(document.body);
        const [one = 0, other = 0] = [luminance(backgroundColor), luminance(color)].sort((a, b) => b - a);
        return { ground: luminance(backgroundColor), contrast: (one + 0.05) / (other + 0.05) };
      });
    await page.emulateMedia({ colorScheme: 'light' });
    const light = await look();
    await page.emulateMedia({ colorScheme: 'dark' });
    const dark = await look();
    assert.ok(light.ground > 0.8 && dark.ground < 0.1, `grounds: ${light.ground}, ${dark.ground}`);
    // WCAG 2.2, level AAA.
    assert.ok(light.contrast >= 7 && dark.contrast >= 7, `contrasts: ${light.contrast}, ${dark.contrast}`);
  }));

// 800 is the least that the desktop app's window can be made.
test('no page scrolls sideways, from a narrow window to a wide one', () =>
  stage.visit('/', async (page) => {
    for (const [name, route, ready] of places) {
      await go(page, route());
      await ready(page);
      for (const width of [800, 1000, 1600]) {
        await page.setViewportSize({ width, height: 700 });
        const over = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        await eventually(over, (pixels) => pixels <= 0, `${name} fits into ${width} px`, 3000);
      }
    }
  }));

test('the toolbar of the log has room for all of it, with filters set', () =>
  stage.visit(processRoute(workspace, 'dev', 'api', 'logs'), async (page) => {
    await shows(page.getByTestId('log-line'), 'up');
    await page.keyboard.press('f');
    await page.getByRole('button', { name: 'stderr' }).click();
    await appears(page.getByTestId('log-filters-active'));
    await page.keyboard.press('Escape');
    const bar = page.getByRole('toolbar', { name: 'Log' });
    for (const width of [800, 1000, 1600]) {
      await page.setViewportSize({ width, height: 700 });
      await eventually(() => bar.evaluate((one) => one.scrollWidth - one.clientWidth), (pixels) => pixels === 0, `it fits into ${width} px`, 3000);
    }
  }));

test('how often a process was restarted is in sight at 1000 px, with a narrow sidebar and a wide one', () =>
  stage.visit(environmentRoute(workspace, 'calm'), async (page) => {
    await stage.forge.run('-C', workspace.folder, 'start', 'calm');
    for (const _ of [1, 2, 3]) await stage.forge.run('-C', workspace.folder, 'restart', 'calm');
    await page.setViewportSize({ width: 1000, height: 700 });
    const row = page.getByTestId('process-one');
    const table = page.getByRole('table', { name: 'Processes of calm' });
    const narrow = row.locator('.restarts');
    const beside = row.locator('.uptime .beside');
    await shows(narrow, /^3$/);
    const title = table.getByRole('columnheader', { name: 'Restarts' });
    const isInSight = () =>
      Promise.all([narrow, beside, title].map((one) => one.evaluate((text) => getComputedStyle(text).display !== 'none' && getComputedStyle(text).fontSize !== '0px')));
    const over = () => table.evaluate((one) => one.scrollWidth - (one.parentElement?.clientWidth ?? 0));
    await eventually(isInSight, ([column, short, title]) => Boolean(column && title && !short), 'the column is there');
    assert.equal(await over(), 0, 'the table fits');
    await page.keyboard.press('Control+b');
    await eventually(isInSight, ([column, short, title]) => Boolean(!column && !title && short), 'it stands beside the uptime');
    await shows(beside, /^↻ 3$/);
    assert.equal(await over(), 0, 'the table fits');
    const [left, cell] = await Promise.all([beside.boundingBox(), row.locator('.uptime').boundingBox()]);
    assert.ok(left && cell && left.x >= cell.x, 'it does not reach into the column before it');
    await stage.forge.run('-C', workspace.folder, 'stop', 'calm');
  }));
