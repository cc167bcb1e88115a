// The log is a window onto the store: what was written long ago is read, found, linked to and saved.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { appears, eventually, shows, vanishes } from './harness/expect.mjs';
import { environmentRoute, processRoute } from './harness/routes.mjs';
import { useStage } from './harness/stage.mjs';
import { nasty, node } from './harness/workspace.mjs';

/** @typedef {import('playwright-core').Page} Page */

/** More than the page keeps, by far. */
const LINES = 30_000;

/** @type {import('./harness/workspace.mjs').Workspace} */ let workspace;

const stage = useStage(async (stage) => {
  workspace = await stage.trusted({
    old: [
      {
        name: 'app',
        command: node((count) => {
          let text = '';
          for (let at = 0; at < Number(count); at += 1) {
            const level = at % 10_000 === 5000 ? 'ERROR' : at % 3000 === 1500 ? 'WARN' : 'INFO';
            text += `${level} line ${at} of the past${at % 7000 === 42 ? ', with a needle' : ''}\n`;
          }
          text += `${JSON.stringify({ level: 'info', msg: 'a <b>tree</b>', user: { id: 7, tags: ['x', 'y'] }, none: null })}\n`;
          process.stdout.write(text, () => setInterval(() => {}, 1e6));
        }, LINES),
      },
    ],
    two: ['left', 'right'].map((tag) => ({ name: tag, command: nasty('count', 400, '--rate', 2000, '--tag', tag, 'forever') })),
    talking: [{ name: 'app', command: nasty('count', 2000, 'flood', '--from', 2000, '--rate', 40) }],
  });
  for (const environment of ['old', 'two', 'talking']) await stage.forge.run('-C', workspace.folder, 'start', environment);
});

/** @param {Page} page */
const linesOf = (page) => page.getByTestId('log-line');
/** @param {Page} page */
const current = (page) => page.locator('[data-testid="log-line"][aria-current="true"]');
const clipboard = { context: { permissions: ['clipboard-read', 'clipboard-write'] } };

/** What stands at the top edge, and where. @param {Page} page */
const top = (page) =>
  page.getByTestId('log').evaluate((log) => {
    const { top, left } = log.getBoundingClientRect();
    const row = document.elementFromPoint(left + 300, top + 6)?.closest('[data-testid="log-line"]');
    return row ? `${row.querySelector('.text')?.textContent} at ${Math.round(row.getBoundingClientRect().top - top)}` : '';
  });

test('one scrolls back through all that is stored, without a gap, and the page stays small', () =>
  stage.visit(processRoute(workspace, 'old', 'app', 'logs'), async (page) => {
    await shows(linesOf(page), `line ${LINES - 1} of`);
    const oldest = async () => Math.min(...(await linesOf(page).allInnerTexts()).map((text) => Number(/line (\d+)/.exec(text)?.[1] ?? LINES)));
    await page.getByTestId('log').hover();
    let before = LINES;
    // Faster than anybody scrolls, and never past what is loaded.
    await eventually(
      async () => {
        await page.mouse.wheel(0, -15_000);
        const now = await oldest();
        assert.ok(now <= before, `it goes back: ${now} after ${before}`);
        before = now;
        return now;
      },
      (line) => line < LINES - 12_000,
      'far back',
      30_000,
    );
    const numbers = (await linesOf(page).allInnerTexts()).map((text) => Number(/line (\d+)/.exec(text)?.[1]));
    assert.deepEqual(numbers, numbers.map((_, at) => (numbers[0] ?? 0) + at), 'line after line');
    const height = await page.getByTestId('log').evaluate((log) => log.scrollHeight / 20);
    assert.ok(height < 10_000, `${height} rows are kept`);
    await page.getByTestId('log').focus();
    await page.keyboard.press('Home');
    await shows(linesOf(page), 'INFO line 0 of');
    await page.keyboard.press('End');
    await shows(linesOf(page), `line ${LINES - 1} of`);
  }));

test('what one reads does not move while more comes, wrapped or not', () =>
  stage.visit(processRoute(workspace, 'talking', 'app', 'logs'), async (page) => {
    await eventually(() => linesOf(page).count(), (count) => count > 20, 'lines are shown');
    await page.getByTestId('log').hover();
    await page.mouse.wheel(0, -700);
    await shows(page.getByTestId('log-resume'), /new line/);
    for (const wrapped of [false, true]) {
      if (wrapped) {
        await page.keyboard.press('z');
        await eventually(() => linesOf(page).first().evaluate((row) => row.getBoundingClientRect().height), (height) => height === 20, 'a short line is one row, wrapped too');
      }
      const [read, count] = [await top(page), Number((await page.getByTestId('log-resume').innerText()).match(/\d+/)?.[0])];
      const counted = async () => Number((await page.getByTestId('log-resume').innerText()).match(/\d+/)?.[0]);
      await eventually(counted, (now) => now > count + 20, 'new lines are counted');
      assert.equal(await top(page), read, 'it stands where it stood');
    }
    await page.keyboard.press('z');
  }));

test('a search counts all that is stored, and leads beyond what is loaded', () =>
  stage.visit(processRoute(workspace, 'old', 'app', 'logs'), async (page) => {
    await shows(linesOf(page), `line ${LINES - 1} of`);
    await page.keyboard.press('Control+f');
    await page.getByTestId('log-find').fill('a NEEDLE');
    // The first hit is waited for, if it has to be.
    await page.keyboard.press('Enter');
    await shows(page.getByTestId('log-find-count'), /^1 of 5$/);
    await shows(current(page), /line \d+ of the past, with a needle/);
    const seen = new Set();
    for (let hit = 0; hit < 5; hit += 1) {
      const [text = ''] = await current(page).locator('.text').allInnerTexts();
      seen.add(text);
      await page.keyboard.press('Enter');
      await eventually(() => current(page).locator('.text').allInnerTexts(), ([now]) => now !== undefined && now !== text, 'another hit');
    }
    assert.equal(seen.size, 5, `each of them once: ${[...seen].join('; ')}`);
    await shows(page.getByTestId('log-find-count'), / of 5$/);
    await shows(page.locator('mark'), 'a needle');
    await page.keyboard.press('Escape');
    await vanishes(page.getByTestId('log-find'));
    await shows(current(page), 'needle');
  }));

test('a search within a filter finds what both have, however many lines have one of them', () =>
  stage.visit(processRoute(workspace, 'old', 'app', 'logs'), async (page) => {
    await shows(linesOf(page), `line ${LINES - 1} of`);
    await page.keyboard.press('Control+f');
    await page.getByTestId('log-find').fill('of the past');
    const count = page.getByTestId('log-find-count');
    await shows(count, /^10,000\+$/);
    assert.match((await count.getAttribute('title')) ?? '', /^30,000 found/);
    const filter = page.getByTestId('log-search');
    await filter.fill('needle');
    await shows(count, /^5$/);
    await page.getByTestId('log-find').press('Shift+Enter');
    await shows(count, /^5 of 5$/);
    await shows(current(page), 'line 42 of');
    await page.getByRole('button', { name: 'Lines without it' }).click();
    await shows(count, /^10,000\+$/);
    assert.match((await count.getAttribute('title')) ?? '', /^29,995 found/);
    // What only the supervisor's expressions have.
    await page.getByRole('button', { name: 'Regular expression', exact: true }).click();
    await filter.fill('(?i)LINE \\d+ of');
    await shows(count, /^not found$/);
    await page.getByRole('button', { name: 'Lines without it' }).click();
    await filter.fill('(?i)A (?P<what>NEEDLE)');
    await shows(count, /^5$/);
  }));

test('a search goes on with what comes, also where only the supervisor can tell whether it is sought', () =>
  stage.visit(processRoute(workspace, 'talking', 'app', 'logs'), async (page) => {
    await eventually(() => linesOf(page).count(), (count) => count > 20, 'lines are shown');
    await page.keyboard.press('Control+f');
    await page.getByRole('button', { name: 'Search for a regular expression' }).click();
    await page.getByTestId('log-find').fill('(?i)LINE \\d+$|\\d');
    /** 0 while it is still looked through. */
    const count = async () => Number(/^[\d,]+$/.exec(await page.getByTestId('log-find-count').innerText())?.[0].replaceAll(',', '') ?? 0);
    const first = await eventually(count, (hits) => hits > 2000, 'all that is stored is counted');
    const then = await eventually(count, (hits) => hits > first + 50, 'what comes is counted');
    const stored = (await stage.forge.run('-C', workspace.folder, 'logs', 'talking/app', '--grep', '(?i)LINE \\d+$|\\d')).split('\n').filter(Boolean).length;
    assert.ok(then <= stored, `${then} of ${stored} that are stored by now: none twice`);
    await eventually(count, (hits) => hits >= stored, 'none is left out');
  }));

test('lines are counted only when there is something to read', () =>
  stage.visit(processRoute(workspace, 'old', 'app', 'logs'), async (page) => {
    await shows(linesOf(page), `line ${LINES - 1} of`);
    await page.getByRole('link', { name: 'Overview' }).click();
    await vanishes(linesOf(page));
    /** What the log's connections carry, in order. @type {string[]} */
    const seen = [];
    page.on('websocket', (socket) => {
      const pages = new Set();
      socket.on('framesent', ({ payload }) => {
        const { id, method, params } = JSON.parse(String(payload));
        if (method === 'logs.read' && params.backward) pages.add(id);
        if (method === 'logs.scan' && params.slot === 'counts') seen.push('counts');
      });
      socket.on('framereceived', ({ payload }) => {
        for (const { id } of [JSON.parse(String(payload))].flat()) if (pages.has(id)) seen.push('page');
      });
    });
    await page.getByRole('link', { name: 'Logs', exact: true }).click();
    await shows(page.getByRole('group', { name: 'Level' }).getByRole('button', { name: 'Error' }), /Error ?3$/);
    assert.equal(seen[0], 'page', seen.join());
    assert.ok(seen.includes('counts'), seen.join());
  }));

test('E and W go from error to error and from warning to warning', () =>
  stage.visit(processRoute(workspace, 'old', 'app', 'logs'), async (page) => {
    await shows(linesOf(page), `line ${LINES - 1} of`);
    await page.getByTestId('log').focus();
    await page.keyboard.press('Shift+E');
    await shows(current(page), 'line 25000 of');
    await page.keyboard.press('Shift+E');
    await shows(current(page), 'line 15000 of');
    await page.keyboard.press('e');
    await shows(current(page), 'line 25000 of');
    await page.keyboard.press('e');
    await shows(page.getByRole('status'), 'No later error');
    await page.keyboard.press('w');
    await shows(current(page), 'WARN line 25500 of');
  }));

test('a link to a line opens there, and marks it; the lines around one are shown without the filter', () =>
  stage.visit(
    processRoute(workspace, 'old', 'app', 'logs'),
    async (page) => {
      await page.getByTestId('log-search').fill('line 1234');
      await page.getByTestId('log-search').press('Enter');
      await shows(linesOf(page), 'line 12345 of');
      // The oldest that fits: nothing is put above the others any more.
      await shows(linesOf(page), 'line 1234 of');
      await linesOf(page).filter({ hasText: 'line 12345 of' }).click();
      await page.keyboard.press('x');
      await shows(linesOf(page), 'line 12352 of');
      await shows(current(page), 'line 12345 of');
      await page.keyboard.press('Escape');
      await vanishes(linesOf(page).filter({ hasText: 'line 12352 of' }));
      await linesOf(page).filter({ hasText: 'line 12345 of' }).click();
      await page.keyboard.press('l');
      const link = await eventually(() => page.evaluate(() => navigator.clipboard.readText()), (text) => text.includes('line='), 'the link is copied');
      const route = new URL(link).hash.slice(1);
      await stage.visit(route, async (other) => {
        await shows(current(other), 'line 12345 of');
        await shows(linesOf(other), 'line 12346 of');
      });
    },
    clipboard,
  ));

test('a time leads to the line of that time; what is no time is said to be none', () =>
  stage.visit(processRoute(workspace, 'old', 'app', 'logs'), async (page) => {
    await shows(linesOf(page), `line ${LINES - 1} of`);
    const field = page.getByTestId('log-time');
    await field.fill('half past nothing');
    await field.press('Enter');
    await shows(page.getByRole('alert'), 'no time');
    await field.fill('2h ago');
    await field.press('Enter');
    await shows(linesOf(page), 'INFO line 0 of');
  }));

test('JSON is folded open on demand, as text; lines are copied as lines', () =>
  stage.visit(
    processRoute(workspace, 'old', 'app', 'logs'),
    async (page) => {
      const row = linesOf(page).filter({ hasText: 'tree' });
      await row.getByRole('button', { name: 'Unfold' }).click();
      await shows(row, 'a <b>tree</b>');
      await eventually(() => row.locator('li').count(), (count) => count >= 6, 'its members stand below each other');
      assert.equal(await row.locator('b').count(), 0, 'nothing of it is markup');
      await row.getByRole('button', { name: 'Fold', exact: true }).click();
      await vanishes(row.locator('li'));
      await linesOf(page).filter({ hasText: 'line 29996 of' }).click();
      await linesOf(page).filter({ hasText: 'line 29998 of' }).click({ modifiers: ['Shift'] });
      await page.keyboard.press('c');
      const copied = await eventually(() => page.evaluate(() => navigator.clipboard.readText()), (text) => text.includes('29998'), 'they are copied');
      assert.deepEqual(copied.split('\n'), [29_996, 29_997, 29_998].map((at) => `INFO line ${at} of the past`));
    },
    clipboard,
  ));

test('what is filtered is saved whole', () =>
  stage.visit(processRoute(workspace, 'old', 'app', 'logs'), async (page) => {
    await page.getByTestId('log-search').fill('needle');
    await eventually(() => linesOf(page).count(), (count) => count === 5, 'the filter fits five');
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'More for the log' }).click();
    await page.getByRole('menuitem', { name: /JSON lines/ }).click();
    const saved = readFileSync(await (await download).path(), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line));
    assert.deepEqual(saved.map(({ text }) => Number(/line (\d+)/.exec(text)?.[1])), [42, 7042, 14_042, 21_042, 28_042]);
    await shows(page.getByRole('status'), '5 lines saved');
  }));

test('settings do not reset each other, and are there again when one comes back', () =>
  stage.visit(environmentRoute(workspace, 'two', 'logs'), async (page) => {
    await shows(linesOf(page), /(left|right) \d+/);
    await page.getByRole('button', { name: 'Mute left' }).click();
    await page.getByTestId('log-search').fill('9');
    await page.keyboard.press('Tab');
    await page.getByRole('button', { name: 'Info' }).click();
    await page.getByRole('button', { name: /Wrap/ }).click();
    const fits = async () => {
      const texts = await linesOf(page).locator('.text').allInnerTexts();
      return texts.length > 0 && texts.every((text) => text.includes('9')) && (await linesOf(page).evaluateAll((all) => all.every((row) => row.getAttribute('data-process') === 'right')));
    };
    await eventually(fits, Boolean, 'all of them hold at once');
    await page.getByRole('link', { name: 'Processes' }).click();
    await appears(page.getByTestId('process-left'));
    await page.getByRole('link', { name: 'Logs', exact: true }).click();
    await eventually(fits, Boolean, 'and do so afterwards');
    assert.equal(await page.getByTestId('log-search').inputValue(), '9');
    assert.equal(await page.getByRole('button', { name: /Wrap/ }).getAttribute('aria-pressed'), 'true');
  }));
