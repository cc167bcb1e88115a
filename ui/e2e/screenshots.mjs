// Pictures of every page: `npm run screenshots -- FOLDER`. Light and dark, empty and busy, 1000 and 1600 pixels wide.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { appears, eventually, shows } from './harness/expect.mjs';
import { environmentRoute, processRoute, workspaceRoute } from './harness/routes.mjs';
import { shop } from './harness/shop.mjs';
import { Stage } from './harness/stage.mjs';
import { nasty } from './harness/workspace.mjs';

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {{ name: string, route: string, ready: (page: Page) => Promise<unknown> }} Picture */

/** Seconds of life after which sparklines and graphs have something to say. */
const LIFE = Number(process.env.LIFE ?? 75);
const SCHEMES = /** @type {const} */ (['light', 'dark']);
/** Pixels: of one width as high as those of the docs, with WIDTH=1280; only some pages, with ONLY=logs,graphs. */
const WIDTHS = process.env.WIDTH ? [Number(process.env.WIDTH)] : [1000, 1600];
const HEIGHTS = /** @type {Record<number, number>} */ ({ 1000: 700, 1280: 768 });
const ONLY = process.env.ONLY?.split(',');

/** The levels are counted. @param {Page} page */
const counted = (page) => eventually(() => page.locator('.count.running').count(), (running) => running === 0, 'all is counted');

const folder = process.argv[2];
if (!folder) {
  console.error('npm run screenshots -- FOLDER');
  process.exit(2);
}
mkdirSync(folder, { recursive: true });

const main = (/** @type {Page} */ page) => page.getByRole('main');

/** @param {Stage} stage @param {Picture[]} pictures @param {string | null} [token] */
async function take(stage, pictures, token) {
  for (const colorScheme of SCHEMES) {
    for (const width of WIDTHS) {
      for (const { name, route, ready } of pictures.filter(({ name }) => !ONLY || ONLY.includes(name))) {
        await stage.visit(
          route,
          async (page) => {
            await ready(page);
            await page.evaluate(() => document.fonts.ready);
            await page.screenshot({ path: join(folder ?? '.', `${name}-${colorScheme}-${width}.png`) });
          },
          { context: { viewport: { width, height: HEIGHTS[width] ?? 1000 }, colorScheme }, token, tolerate: /./ },
        );
      }
    }
  }
}

/** @param {(stage: Stage) => Promise<void>} show */
async function onStage(show) {
  const stage = new Stage();
  try {
    await stage.open();
    await show(stage);
  } finally {
    await stage.close();
  }
}

const empty = () =>
  onStage(async (stage) => {
    const nothing = stage.workspace();
    await take(stage, [
      { name: 'empty-welcome', route: '/', ready: (page) => shows(main(page), 'Choose a folder') },
      { name: 'empty-ports', route: '/ports', ready: (page) => shows(main(page), 'Nothing listens') },
      {
        name: 'empty-add',
        route: '/',
        ready: async (page) => {
          await page.getByRole('button', { name: 'Add workspace' }).click();
          await page.getByTestId('workspace-path').fill(nothing.folder);
          await page.getByTestId('workspace-add').click();
          await shows(page.getByRole('dialog'), 'Write an example');
        },
      },
    ]);
    await take(stage, [{ name: 'empty-token', route: '/', ready: (page) => shows(main(page), 'needs a token') }], null);
    const stopped = await stage.trusted(await shop({ crash: false }), 'shop');
    const strange = stage.workspace(await shop({ crash: false }), 'atlas');
    await stage.forge.run('workspaces', 'add', strange.folder);
    const broken = stage.workspace(undefined, 'blog');
    broken.write('dev:\n  - name: web\n    command: npm run dev\n    dependson: [db]\n  - name: db\n    command: redis-server\n    port: 99999\n');
    await stage.forge.run('workspaces', 'add', broken.folder);
    await take(stage, [
      { name: 'stopped-home', route: '/', ready: (page) => shows(main(page), 'blog') },
      { name: 'stopped-environment', route: environmentRoute(stopped, 'dev'), ready: (page) => shows(page.getByTestId('process-web-status'), 'stopped') },
      { name: 'stopped-logs', route: environmentRoute(stopped, 'dev', 'logs'), ready: (page) => shows(main(page), 'No output yet') },
      { name: 'stopped-graphs', route: environmentRoute(stopped, 'dev', 'graphs'), ready: (page) => shows(main(page), 'Nothing measured yet') },
      { name: 'stopped-events', route: environmentRoute(stopped, 'dev', 'events'), ready: (page) => shows(main(page), 'Nothing has happened yet') },
      { name: 'untrusted',
        route: environmentRoute(strange, 'dev'),
        ready: (page) => shows(page.getByTestId('trust'), 'dev / postgres'),
      },
      { name: 'broken', route: workspaceRoute(broken), ready: (page) => shows(page.getByTestId('problem'), 'depends_on') },
    ]);
  });

/** @param {boolean} crash @param {string} mood */
const busy = (crash, mood) =>
  onStage(async (stage) => {
    const workspace = await stage.trusted(await shop({ crash }), 'shop');
    const other = await stage.trusted({ dev: [{ name: 'site', command: nasty('forever') }], docs: [{ name: 'book', command: nasty('forever') }] }, 'atlas');
    await stage.forge.run('-C', workspace.folder, 'start', 'dev', '-d');
    await stage.forge.run('-C', other.folder, 'start', 'dev', '-d');
    const uptime = async () => {
      const status = JSON.parse(await stage.forge.run('-C', workspace.folder, '--json', 'status', 'dev'));
      return Number(status.processes.find((/** @type {{ name: string }} */ one) => one.name === 'worker')?.uptime_seconds ?? 0);
    };
    await eventually(uptime, (seconds) => seconds >= LIFE, 'it has lived for a while', (LIFE + 30) * 1000);
    const dev = (/** @type {string} */ tab) => environmentRoute(workspace, 'dev', tab);
    const of = (/** @type {string} */ name, /** @type {string} */ tab = 'overview') => processRoute(workspace, 'dev', name, tab);
    /** Figures come once a second. */
    const table = async (/** @type {Page} */ page) => {
      await shows(page.getByTestId('process-web-status'), 'ready');
// A narrow table has none: they need only be there.
      await page.getByTestId('process-worker').locator('svg path[d*="L"]').first().waitFor({ state: 'attached' });
    };
    /** @type {Picture[]} */
    const always = [
      { name: 'environment', route: dev('overview'), ready: table },
      { name: 'home', route: '/', ready: (page) => shows(main(page), 'MB') },
      { name: 'logs', route: dev('logs'), ready: (page) => shows(page.getByTestId('log-line'), 'job=').then(() => counted(page)) },
    ];
    /** @type {Picture[]} */
    const more = [
      { name: 'patterns', route: dev('patterns'), ready: (page) => shows(page.getByTestId('pattern'), 'pool exhausted') },
      { name: 'graphs', route: dev('graphs'), ready: (page) => appears(page.getByTestId('graph-memory').locator('canvas')) },
      { name: 'events', route: dev('events'), ready: (page) => shows(main(page).getByRole('listitem'), 'started') },
      { name: 'ports', route: '/ports', ready: (page) => shows(main(page), 'postgres') },
      { name: 'workspace', route: workspaceRoute(workspace), ready: (page) => shows(main(page), 'What it runs') },
      { name: 'process', route: of('api'), ready: (page) => shows(main(page), 'Needed by') },
      { name: 'process-logs', route: of('worker', 'logs'), ready: (page) => shows(page.getByTestId('log-line'), 'job=') },
      { name: 'process-graphs', route: of('worker', 'graphs'), ready: (page) => appears(page.getByTestId('graph-memory').locator('canvas')) },
      { name: 'process-variables', route: of('api', 'env'), ready: (page) => shows(main(page), 'LOG_LEVEL') },
      { name: 'process-health', route: of('images', 'health'), ready: (page) => shows(main(page), '503') },
      { name: 'process-crashed', route: of('payments'), ready: (page) => shows(main(page), 'stripe.secret') },
      { name: 'process-terminal', route: of('console', 'terminal'), ready: (page) => shows(page.locator('.xterm-rows'), 'shop(dev)>') },
      {
        name: 'palette',
        route: dev('overview'),
        ready: async (page) => {
          await table(page);
          await page.keyboard.press('Control+k');
          await page.keyboard.type('st');
          await shows(page.getByTestId('palette'), 'Stop dev');
        },
      },
      {
        name: 'help',
        route: dev('overview'),
        ready: async (page) => {
          await table(page);
          await page.keyboard.press('?');
          await shows(page.getByRole('dialog'), 'In a table of processes');
        },
      },
      {
        name: 'row-menu',
        route: dev('overview'),
        ready: async (page) => {
          await table(page);
          await page.getByRole('button', { name: 'More for api' }).click();
          await appears(page.getByRole('menu'));
        },
      },
      {
        name: 'logs-search',
        route: dev('logs'),
        ready: async (page) => {
          await shows(page.getByTestId('log-line'), 'job=');
          await page.keyboard.press('Control+f');
          await page.getByTestId('log-find').fill('pool');
          await page.keyboard.press('Enter');
          await appears(page.locator('[aria-current="true"]'));
        },
      },
      {
        name: 'logs-filters',
        route: of('worker', 'logs'),
        ready: async (page) => {
          await shows(page.getByTestId('log-line'), 'job=');
          await page.keyboard.press('f');
          await page.getByRole('button', { name: 'stdout' }).click();
          await page.getByTestId('log-until').fill('yesterday 25:10');
          await page.keyboard.press('Enter');
          await shows(page.getByRole('dialog'), 'That is no time');
        },
      },
      {
        name: 'logs-paused',
        route: dev('logs'),
        ready: async (page) => {
          await shows(page.getByTestId('log-line'), 'job=');
          await page.getByTestId('log-search').fill('job');
          await appears(page.locator('mark'));
          await page.getByTestId('log').hover();
          await page.mouse.wheel(0, -300);
          await shows(page.getByTestId('log-resume'), /new line/);
        },
      },
    ];
    await take(stage, [...always, ...(crash ? more : [])].map((one) => ({ ...one, name: `${mood}-${one.name}` })));
  });

// The two that live for a while do so side by side.
await Promise.all([empty(), busy(true, 'busy'), busy(false, 'calm')]);
