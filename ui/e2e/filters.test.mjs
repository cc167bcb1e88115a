// What narrows a log beside text and levels: stream, run, time range. The command line says what must be shown.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { appears, eventually, shows, vanishes } from './harness/expect.mjs';
import { environmentRoute, processRoute } from './harness/routes.mjs';
import { useStage } from './harness/stage.mjs';
import { nasty, node } from './harness/workspace.mjs';

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {{ time: string, run: number, stream: string, level: string | null, text: string }} Line */

/** @type {import('./harness/workspace.mjs').Workspace} */ let workspace;
/** Lines of each stream that a run writes. */
const LINES = 12;

const stage = useStage(async (stage) => {
  const talk = node((lines) => {
    let at = 0;
    const timer = setInterval(() => {
      console.log(`INFO out ${at} of ${process.pid}`);
      console.error(`ERROR err ${at} of ${process.pid}`);
      if (++at === Number(lines)) clearInterval(timer);
    }, 40);
    setInterval(() => {}, 1e6);
  }, LINES);
  workspace = await stage.trusted({
    dev: [{ name: 'app', command: talk }, { name: 'other', command: nasty('print', 'another one', 'forever') }],
    long: [{ name: 'app', command: nasty('count', 100_000, '--rate', 20) }],
  });
  await stage.forge.run('-C', workspace.folder, 'start', 'dev', 'long');
  for (const run of [1, 2, 3]) {
    if (run > 1) await stage.forge.run('-C', workspace.folder, 'restart', 'dev/app');
    await eventually(() => stored('--run', String(run)), (lines) => lines.filter((line) => line.stream !== 'forge').length === 2 * LINES, 'it has written all');
  }
});

/** The lines of `dev/app` as the command line has them. @param {string[]} words @returns {Promise<Line[]>} */
const stored = async (...words) =>
  (await stage.forge.run('-C', workspace.folder, 'logs', 'dev/app', '--json', ...words)).split('\n').filter(Boolean).map((line) => JSON.parse(line));

/** The texts in sight. @param {Page} page */
const textsOf = (page) => page.getByTestId('log-line').locator('.text').allTextContents();

/** Exactly these are shown. @param {Page} page @param {Line[]} lines @param {string} what */
function hasOnly(page, lines, what) {
  assert.ok(lines.length > 0, `there are lines: ${what}`);
  const wanted = lines.map((line) => line.text).join('\n');
  return eventually(async () => (await textsOf(page)).join('\n'), (shown) => shown === wanted, `exactly ${what}`);
}

const filters = (/** @type {Page} */ page) => page.getByTestId('log-filters');
const sheet = (/** @type {Page} */ page) => page.getByRole('dialog', { name: /^More filters/ });
const choose = (/** @type {Page} */ page, /** @type {string} */ name) => sheet(page).getByRole('button', { name, exact: true }).click();

/** @param {Page} page @param {string} field @param {string} text */
async function put(page, field, text) {
  await page.getByTestId(field).fill(text);
  await page.keyboard.press('Enter');
}

/** As the log shows it, with its day, in UTC. @param {Line} line */
const timeOf = ({ time }) => new Date(time).toISOString().replace('T', ' ').replace('Z', '');

/** High enough for all lines: what is not in sight is not in the document. */
const context = { viewport: { width: 1280, height: 2400 }, timezoneId: 'UTC' };

/** The log of `dev/app`, with the sheet open. @param {(page: Page) => Promise<void>} look */
const visit = (look) =>
  stage.visit(
    processRoute(workspace, 'dev', 'app', 'logs'),
    async (page) => {
      await shows(page.getByTestId('log-line'), 'out 0');
      await page.keyboard.press('f');
      await appears(sheet(page));
      await look(page);
    },
    { context },
  );

test('only one stream is shown, and counted', () =>
  visit(async (page) => {
    const levels = page.getByRole('group', { name: 'Level' });
    await shows(levels.getByRole('button', { name: 'Error' }), `Error ${3 * LINES}`);
    await choose(page, 'stderr');
    await hasOnly(page, await stored('--stream', 'stderr'), 'what went to stderr');
    await shows(page.getByTestId('log-filters-active'), /^1$/);
    await shows(levels.getByRole('button', { name: 'Info' }), /Info ?0$/);
    await choose(page, 'stdout');
    await hasOnly(page, await stored('--stream', 'stdout'), 'what went to stdout');
    await shows(levels.getByRole('button', { name: 'Info' }), `Info ${3 * LINES}`);
    await shows(levels.getByRole('button', { name: 'Error' }), /Error ?0$/);
    await choose(page, 'Forge');
    await hasOnly(page, (await stored()).filter((line) => line.stream === 'forge'), 'what Forge says');
  }));

test('the help names the key that leads to the filters, and the key leads away again', () =>
  visit(async (page) => {
    await page.keyboard.press('f');
    await vanishes(sheet(page));
    await page.keyboard.press('?');
    await shows(page.getByRole('dialog', { name: 'Keyboard' }), 'F Filter by stream, run, time range');
  }));

test('what was typed counts for whoever clicks elsewhere, and not after Escape', () =>
  visit(async (page) => {
    await page.getByTestId('log-until').fill('2020-01-01');
    await page.keyboard.press('Escape');
    await vanishes(sheet(page));
    await page.keyboard.press('f');
    assert.equal(await page.getByTestId('log-until').inputValue(), '');
    await page.getByTestId('log-until').fill('2020-01-01');
    await page.getByTestId('log-line').first().click();
    await vanishes(sheet(page));
    await shows(page.getByRole('main'), 'No line fits');
    await shows(page.getByTestId('log-filters-active'), /^1$/);
  }));

test('only one run of a restarted process is shown; with the latest one follows, with another there is nothing to follow', () =>
  visit(async (page) => {
    const follow = page.getByTestId('log-follow');
    await choose(page, 'Latest');
    await hasOnly(page, await stored('--run', '3'), 'the latest run');
    assert.equal(await follow.isEnabled(), true);
    await choose(page, 'Previous');
    await hasOnly(page, await stored('--run', '2'), 'the run before it');
    await eventually(() => follow.isDisabled(), Boolean, 'it is over');
    await put(page, 'log-run', '1');
    await hasOnly(page, await stored('--run', '1'), 'the first run');
    await put(page, 'log-run', '4');
    await shows(sheet(page).getByRole('alert'), 'There is no run 4: they are numbered 1 to 3');
    await hasOnly(page, await stored('--run', '1'), 'the first run as before');
  }));

test('only what lies between two times is shown, both of them included, and found', () =>
  visit(async (page) => {
    const all = (await stored('--run', '2')).filter((line) => line.stream !== 'forge');
    const [first, last] = /** @type {[Line, Line]} */ ([all[6], all[15]]);
    // To the millisecond, as the log shows times: what shares one is told from its neighbours by none.
    const between = (await stored()).filter((line) => timeOf(line) >= timeOf(first) && timeOf(line) <= timeOf(last));
    await put(page, 'log-since', timeOf(first));
    await hasOnly(page, (await stored()).filter((line) => timeOf(line) >= timeOf(first)), 'all from that time on');
    await put(page, 'log-until', timeOf(last));
    await hasOnly(page, between, 'what lies between');
    await shows(page.getByTestId('log-filters-active'), /^2$/);
    const errors = between.filter((line) => line.level === 'error').length;
    await shows(page.getByRole('group', { name: 'Level' }).getByRole('button', { name: 'Error' }), new RegExp(`Error ?${errors}$`));
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+f');
    await page.getByTestId('log-find').fill('err ');
    await shows(page.getByTestId('log-find-count'), new RegExp(`^${errors}$`));
  }));

test('a time that is none is told at its field, with the place, and changes nothing', () =>
  visit(async (page) => {
    const before = await textsOf(page);
    await put(page, 'log-until', 'yesterday 25:10');
    await shows(sheet(page).getByRole('alert'), 'That is no time');
    assert.equal(await sheet(page).getByRole('alert').locator('pre').textContent(), 'yesterday 25:10\n          ^');
    assert.equal(await page.getByTestId('log-until').getAttribute('aria-invalid'), 'true');
    assert.deepEqual(await textsOf(page), before);
    await vanishes(page.getByTestId('log-filters-active'));
  }));

test('no filter resets another; clearing ends them all', () =>
  visit(async (page) => {
    const levels = page.getByRole('group', { name: 'Level' });
    await levels.getByRole('button', { name: 'Error' }).click();
    await page.getByTestId('log-search').fill('err 1');
    await filters(page).click();
    await choose(page, 'stderr');
    await choose(page, 'Previous');
    await put(page, 'log-since', '1h ago');
    await put(page, 'log-until', 'now');
    const narrowed = (await stored('--run', '2', '--stream', 'stderr', '--grep', 'err 1')).filter((line) => line.level === 'error');
    await hasOnly(page, narrowed, 'what all of them leave');
    assert.equal(await page.getByTestId('log-search').inputValue(), 'err 1');
    assert.equal(await levels.getByRole('button', { name: 'Error' }).getAttribute('aria-pressed'), 'true');
    await shows(page.getByTestId('log-filters-active'), /^4$/);
    await levels.getByRole('button', { name: 'All' }).click();
    await shows(page.getByTestId('log-filters-active'), /^4$/);
    await page.getByTestId('log-search').fill('nothing says this');
    await shows(page.getByRole('main'), 'No line fits');
    await page.getByRole('button', { name: 'Clear the filter' }).click();
    await hasOnly(page, await stored(), 'all lines');
    await vanishes(page.getByTestId('log-filters-active'));
    await page.keyboard.press('f');
    for (const field of ['log-since', 'log-until', 'log-run']) assert.equal(await page.getByTestId(field).inputValue(), '', field);
    assert.equal(await sheet(page).getByRole('group', { name: 'Stream' }).getByRole('button', { name: 'All' }).getAttribute('aria-pressed'), 'true');
  }));

test('what is saved is what is shown', () =>
  visit(async (page) => {
    await choose(page, 'stderr');
    await put(page, 'log-run', '2');
    const wanted = await stored('--run', '2', '--stream', 'stderr');
    await hasOnly(page, wanted, 'errors of the second run');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'More for the log' }).click();
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('menuitem', { name: /JSON lines/ }).click()]);
    const saved = readFileSync(await download.path(), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
    assert.deepEqual(saved.map(({ run, stream, text }) => [run, stream, text]), wanted.map(({ run, stream, text }) => [run, stream, text]));
  }));

test('all lines around one are shown whatever the filters say, and Escape brings them back', () =>
  visit(async (page) => {
    await choose(page, 'stderr');
    await choose(page, 'Previous');
    const wanted = await stored('--run', '2', '--stream', 'stderr');
    await hasOnly(page, wanted, 'errors of the second run');
    await page.keyboard.press('Escape');
    await page.getByTestId('log-line').nth(3).click();
    await page.keyboard.press('x');
    await hasOnly(page, await stored(), 'all lines');
    await page.keyboard.press('Escape');
    await hasOnly(page, wanted, 'what the filters leave');
    await shows(page.getByTestId('log-filters-active'), /^2$/);
  }));

test('a stream is remembered from visit to visit; what speaks of a time is not', () =>
  visit(async (page) => {
    await choose(page, 'stderr');
    await choose(page, 'Latest');
    await put(page, 'log-since', '1h ago');
    await shows(page.getByTestId('log-filters-active'), /^3$/);
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'Overview' }).click();
    await vanishes(filters(page));
    await page.getByRole('link', { name: 'Logs', exact: true }).click();
    await hasOnly(page, await stored('--stream', 'stderr'), 'what went to stderr, of all runs');
    await shows(page.getByTestId('log-filters-active'), /^1$/);
  }));

test('with an end in the past nothing is followed and nothing new is counted; without it one follows again', () =>
  stage.visit(processRoute(workspace, 'long', 'app', 'logs'), async (page) => {
    const newest = async () => Math.max(...(await textsOf(page)).map((text) => Number(/line (\d+)/.exec(text)?.[1] ?? 0)));
    const follow = page.getByTestId('log-follow');
    const first = await eventually(newest, (number) => number > 0, 'lines are shown');
    await eventually(newest, (number) => number > first, 'it follows');
    await page.keyboard.press('f');
    await put(page, 'log-until', 'now');
    await eventually(() => follow.isDisabled(), Boolean, 'there is nothing to follow');
    await shows(page.getByTestId('log-filters-active'), /^1$/);
    const last = await eventually(newest, (number) => number > 0, 'the last lines are shown');
    const written = async () => Number(/line (\d+)/.exec(await stage.forge.run('-C', workspace.folder, 'logs', 'long/app', '-n', '1'))?.[1]);
    await eventually(written, (number) => number > last + 20, 'more is written');
    assert.equal(await newest(), last, 'nothing is added');
    await page.keyboard.press('Escape');
    await page.getByTestId('log').hover();
    await page.mouse.wheel(0, -400);
    await shows(page.getByTestId('log-resume'), /^To the last line/);
    await page.getByTestId('log').focus();
    await page.keyboard.press('End');
    await vanishes(page.getByTestId('log-resume'));
    assert.equal(await newest(), last, 'End leads to its last line');
    await page.keyboard.press('f');
    await put(page, 'log-until', '');
    await eventually(newest, (number) => number > last + 20, 'it follows');
    assert.equal(await follow.getAttribute('aria-pressed'), 'true');
  }));

test('of several processes there is no run to choose, and the range holds for all of them', () =>
  stage.visit(environmentRoute(workspace, 'dev', 'logs'), async (page) => {
    await page.setViewportSize({ width: 1000, height: 2400 });
    await shows(page.getByTestId('log-line'), 'another one');
    await filters(page).click();
    await appears(page.getByTestId('log-since'));
    assert.equal(await page.getByTestId('log-run').count(), 0);
    await put(page, 'log-until', '2020-01-01');
    await shows(page.getByRole('main'), 'No line fits');
    await choose(page, 'Clear all filters');
    await shows(page.getByTestId('log-line'), 'another one');
  }));
