// An environment's page: what one sees while it starts, runs, changes and stops.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';

import { appears, eventually, shows } from './harness/expect.mjs';
import { environmentRoute } from './harness/routes.mjs';
import { useStage } from './harness/stage.mjs';
import { freePorts, nasty } from './harness/workspace.mjs';

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {import('./harness/workspace.mjs').Workspace} Workspace */

/** @type {Workspace} */ let workspace;
let [db, api] = [0, 0];

/** @param {object} [more] What `api` has beside. */
const environments = (more = {}) => ({
  dev: [
    { name: 'db', command: nasty('wait-for', workspace.path('gate'), 'listen', db), port: db },
    { name: 'api', command: nasty('listen', api, '--http', 200), port: api, depends_on: ['db'], health_check: `http://127.0.0.1:${api}/health`, ...more },
    { name: 'seed', command: nasty('exit', 0), one_shot: true, depends_on: ['db'] },
  ],
});

const stage = useStage(async (stage) => {
  [db, api] = /** @type {[number, number]} */ (await freePorts(2));
  workspace = stage.workspace();
  workspace.configure(environments());
  await stage.forge.run('workspaces', 'add', workspace.folder);
  await stage.forge.run('workspaces', 'trust', workspace.folder);
});

/** Opens the gate, and has everything running. */
async function running() {
  writeFileSync(workspace.path('gate'), '');
  await stage.forge.run('-C', workspace.folder, 'start', 'dev');
}

/** Every word that a process's state has, in the order in which it has them. @param {Page} page */
async function recordStates(page) {
  await page.evaluate(() => {
    /** @type {Record<string, string[]>} */
    const seen = {};
    const look = () => {
      for (const mark of document.querySelectorAll('[data-testid^="process-"][data-testid$="-status"]')) {
        const [name, word] = [mark.getAttribute('data-testid') ?? '', mark.textContent ?? ''];
        const words = (seen[name] ??= []);
        if (words.at(-1) !== word) words.push(word);
      }
    };
    look();
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
    Object.assign(window, { seen });
  });
  return (/** @type {string} */ name) =>
    page.evaluate((key) => /** @type {any} */ (window).seen[key], `process-${name}-status`);
}

/** Whether the words come in that order, whatever is between them. @param {string[]} words @param {string[]} wanted */
function inOrder(words, wanted) {
  let at = 0;
  for (const word of words) if (word === wanted[at]) at += 1;
  return at === wanted.length;
}

test('Start shows the states in order, until all is ready', () =>
  stage.visit(environmentRoute(workspace, 'dev'), async (page) => {
    await shows(page.getByTestId('process-api-status'), 'stopped');
    const statesOf = await recordStates(page);
    await page.getByRole('main').getByTestId('start-dev').click();

    // What it waits for is a link to it.
    const row = page.getByTestId('process-api');
    await shows(row, /waiting for db/);
    await row.getByRole('link', { name: 'db' }).click();
    await shows(page.getByRole('heading', { level: 1 }), /dev \/ db/);
    await page.goBack();
    await shows(row, /waiting for db/);

    writeFileSync(workspace.path('gate'), '');
    await shows(page.getByTestId('process-api-status'), 'ready');
    await shows(page.getByTestId('process-seed-status'), 'done');
    await shows(page.getByTestId('environment-dev'), 'running');
    const [dbStates, apiStates] = [await statesOf('db'), await statesOf('api')];
    assert.ok(inOrder(dbStates, ['stopped', 'running', 'ready']), `db: ${dbStates}`);
    assert.ok(inOrder(apiStates, ['stopped', 'waiting', 'ready']), `api: ${apiStates}`);
    assert.equal(apiStates.indexOf('ready'), apiStates.length - 1, `nothing comes after ready: ${apiStates}`);
  }));

test('health, ports and what it costs stand in the row, and in the list of ports', async () => {
  await running();
  await stage.visit(environmentRoute(workspace, 'dev'), async (page) => {
    const row = page.getByTestId('process-api');
    await shows(row, 'HTTP 200 from /health');
    const link = row.getByRole('link', { name: String(api) });
    assert.match((await link.getAttribute('href')) ?? '', new RegExp(`^http://(localhost|127\\.0\\.0\\.1):${api}(/|$)`));
    const ports = page.getByTestId('ports');
    await shows(ports, new RegExp(`${api}.* api PID \\d+`));
    await appears(ports.getByRole('link', { name: String(db) }));
    await shows(row, /\d+\.\d % /);
    await shows(row, /[\d.]+ MB/);
    // A line needs more than one sample.
    const lines = () => row.locator('svg path[d]').evaluateAll((paths) => paths.map((path) => path.getAttribute('d') ?? ''));
    const costs = async () => (await lines()).filter((line) => (line.match(/[\d.]+[ ,][\d.]+/g) ?? []).length > 1);
    await eventually(costs, (drawn) => drawn.length >= 2, 'CPU and memory have a line each');
  });
});

test('Stop, Start, Restart and Kill of one process leave the others alone', async () => {
  await running();
  await stage.visit(environmentRoute(workspace, 'dev'), async (page) => {
    const [row, status] = [page.getByTestId('process-api'), page.getByTestId('process-api-status')];
    await shows(status, 'ready');
    await row.getByTestId('stop-api').click();
    await shows(status, 'stopped');
    await shows(page.getByTestId('process-db-status'), 'ready');
    await row.getByTestId('start-api').click();
    await shows(status, 'ready');

    const pid = () => page.getByTestId('ports').locator('.row', { hasText: String(api) }).first().innerText();
    const before = await pid();
    await row.getByRole('button', { name: 'Restart api' }).click();
    await eventually(pid, (now) => now !== before && /PID \d/.test(now), 'another process listens');
    await shows(status, 'ready');

    await row.getByRole('button', { name: 'More for api' }).click();
    await page.getByRole('menuitem', { name: /Kill/ }).click();
    await shows(status, 'stopped');
    await shows(page.getByTestId('process-db-status'), 'ready');
  });
});

test('Stop of the environment stops all of it', async () => {
  await running();
  await stage.visit(environmentRoute(workspace, 'dev'), async (page) => {
    await shows(page.getByTestId('process-api-status'), 'ready');
    await page.getByRole('main').getByTestId('stop-dev').click();
    for (const name of ['db', 'api']) await shows(page.getByTestId(`process-${name}-status`), 'stopped');
    await shows(page.getByTestId('environment-dev'), 'stopped');
    await shows(page.getByTestId('ports'), 'Nothing listens');
  });
});

test('a process that runs with what the file no longer says is marked, and Start applies the change', async () => {
  await running();
  await stage.visit(environmentRoute(workspace, 'dev'), async (page) => {
    const row = page.getByTestId('process-api');
    await shows(page.getByTestId('process-api-status'), 'ready');
    workspace.configure(environments({ env: { GREETING: 'changed' } }));
    await shows(row, 'restart applies changes');
    await stage.forge.run('workspaces', 'trust', workspace.folder);
    const start = page.getByRole('main').getByTestId('start-dev');
    await eventually(() => start.isEnabled(), Boolean, 'there is something to start');
    await start.click();
    await shows(row, 'HTTP 200 from /health');
    await shows(page.getByTestId('process-api-status'), 'ready');
  });
});

/** As if it had run for that much longer. @param {string} message @param {number} seconds */
const aged = (message, seconds) =>
  message
    .replace(/"started_at":"([^"]+)"/g, (_, time) => `"started_at":"${new Date(Date.parse(time) - seconds * 1000).toISOString()}"`)
    .replace(/"uptime_seconds":([\d.]+)/g, (_, uptime) => `"uptime_seconds":${Number(uptime) + seconds}`);

test('a row is no higher for a process that has run for long', async () => {
  await running();
  // The longest that is told: minutes and seconds, hours and minutes, days and hours.
  for (const [seconds, told] of /** @type {[number, RegExp][]} */ ([[59 * 60 + 40, /59m \d\ds|1h 0m/], [22 * 3600 + 44 * 60, /22h 4\dm/], [364 * 86400 + 23 * 3600, /364d 23h/]])) {
    const look = async (/** @type {Page} */ page) => {
      await shows(page.getByTestId('process-api'), told);
      for (const width of [800, 1000, 1280]) {
        await page.setViewportSize({ width, height: 700 });
        const heights = await page.locator('tbody tr').evaluateAll((rows) => rows.map((row) => row.getBoundingClientRect().height));
        assert.deepEqual([...new Set(heights)], [32], `${told} at ${width} px`);
      }
    };
    await stage.visit(environmentRoute(workspace, 'dev'), look, { rewrite: (message) => aged(message, seconds) });
  }
});

test('events are listed newest first, with links to what they are about', async () => {
  await running();
  await stage.visit(environmentRoute(workspace, 'dev', 'events'), async (page) => {
    await shows(page.getByRole('main').getByRole('listitem'), 'started');
    const times = await page.locator('main time').evaluateAll((all) => all.map((one) => one.getAttribute('datetime') ?? ''));
    assert.deepEqual(times, times.toSorted().reverse(), 'newest first');
    await page.getByRole('main').getByRole('listitem').getByRole('link', { name: 'api' }).first().click();
    await shows(page.getByRole('heading', { level: 1 }), /dev \/ api/);
  });
});

test('graphs draw a line for each process, and hide it on request', async () => {
  await running();
  await stage.visit(environmentRoute(workspace, 'dev', 'graphs'), async (page) => {
    const [db, api] = ['--process-0', '--process-1'];
    await eventually(() => inked(page, 'memory', db), (pixels) => pixels > 20, 'memory of db is drawn');
    await eventually(() => inked(page, 'memory', api), (pixels) => pixels > 20, 'memory of api is drawn');
    // Two that do nothing lie on each other; the later one is on top.
    await eventually(() => inked(page, 'cpu', api), (pixels) => pixels > 20, 'CPU of api is drawn');
    await page.getByRole('button', { name: 'db' }).click();
    await eventually(() => inked(page, 'memory', db), (pixels) => pixels === 0, 'db is hidden');
  });
});

/** Pixels of a graph that have a process's colour. @param {Page} page @param {string} figure @param {string} property */
function inked(page, figure, property) {
  return page.getByTestId(`graph-${figure}`).evaluate((graph, name) => {
    const canvas = graph.querySelector('canvas');
    if (!canvas || canvas.width === 0) return 0;
    const probe = document.createElement('canvas').getContext('2d');
    const pen = canvas.getContext('2d');
    if (!probe || !pen) return 0;
    probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(name);
    probe.fillRect(0, 0, 1, 1);
    const wanted = probe.getImageData(0, 0, 1, 1).data;
    const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let at = 0; at < data.length; at += 4) {
      const near = [0, 1, 2].every((part) => Math.abs((data[at + part] ?? 0) - (wanted[part] ?? 0)) < 24);
      if (near && (data[at + 3] ?? 0) > 100) count += 1;
    }
    return count;
  }, property);
}
