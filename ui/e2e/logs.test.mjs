// The log: what is written stands there, in order, as text, and stays where one reads.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';

import { appears, eventually, shows, stands, vanishes } from './harness/expect.mjs';
import { environmentRoute, processRoute } from './harness/routes.mjs';
import { useStage } from './harness/stage.mjs';
import { nasty, node } from './harness/workspace.mjs';

/** @typedef {import('playwright-core').Page} Page */

/** @type {import('./harness/workspace.mjs').Workspace} */ let workspace;

const HOSTILE = [
  '<script>window.ran = 1</script>',
  '<img src=x onerror="window.ran = 1">',
  '\u001b[31mred\u001b[0m plain \u001b[1;32mgreen\u001b[0m',
  '\u001b]0;a title\u0007after the title',
  '\u001b]8;;javascript:window.ran=1\u0007a link\u001b]8;;\u0007',
  '\u001b[2J\u001b[Hcleared',
  'nul \u0000 in the middle',
  'right to left \u202egnp.exe',
  'javascript:window.ran=1',
];

const stage = useStage(async (stage) => {
  const talk = (/** @type {string} */ tag) => nasty('count', 8, '--rate', 50, '--tag', tag, '--bytes', 40, 'forever');
  workspace = await stage.trusted({
    merged: ['red', 'green', 'blue'].map((tag) => ({ name: tag, command: talk(tag) })),
    levels: [
      {
        name: 'app',
        command: nasty('print', 'DEBUG a detail', 'print', 'INFO all is well', 'print', 'WARN careful (now)', 'eprint', 'ERROR it broke', 'forever'),
      },
    ],
    long: [{ name: 'app', command: nasty('count', 3000, 'flood', '--from', 3000, '--rate', 20) }],
    hostile: [
      {
        name: 'app',
        command: node((lines) => {
          for (const line of JSON.parse(lines)) console.log(line);
          setInterval(() => {}, 1e6);
        }, JSON.stringify(HOSTILE)),
      },
      { name: 'garbage', command: nasty('garbage', 'long-line', 200_000, 'forever') },
    ],
    asks: [
      {
        name: 'question',
        command: node((go) => {
          process.stdout.write('before\nContinue? [y/N] ');
          const asking = setInterval(() => {
            if (!require('node:fs').existsSync(go)) return;
            clearInterval(asking);
            process.stdout.write('yes\n');
            setInterval(() => {}, 1e6);
          }, 50);
        }, 'go'),
      },
    ],
    ends: [
      { name: 'failing', command: nasty('exit', 3), auto_restart: false },
      { name: 'stopped', command: nasty('forever') },
    ],
  });
  for (const environment of ['merged', 'levels', 'long', 'hostile', 'asks']) await stage.forge.run('-C', workspace.folder, 'start', environment);
  // One of it fails, as it must.
  await stage.forge.cli('-C', workspace.folder, 'start', 'ends');
  await stage.forge.run('-C', workspace.folder, 'stop', 'ends/stopped');
});

/** The lines in sight. @param {Page} page */
const linesOf = (page) => page.getByTestId('log-line');

/** Whose lines are shown. @param {Page} page */
const namesOf = (page) => linesOf(page).evaluateAll((all) => [...new Set(all.map((row) => row.getAttribute('data-process')))].sort().join());

/** @param {Page} page */
const search = (page) => page.getByTestId('log-search');

test('lines of several processes stand in the order in which they were written, coloured by process', () =>
  stage.visit(environmentRoute(workspace, 'merged', 'logs'), async (page) => {
    await eventually(() => linesOf(page).filter({ hasText: /(red|green|blue) 0/ }).count(), (count) => count === 24, 'all lines are there');
    const rows = await linesOf(page).evaluateAll((all) =>
      all.map((row) => ({
        time: row.querySelector('.time')?.getAttribute('title') ?? '',
        process: row.getAttribute('data-process') ?? '',
        colour: getComputedStyle(row.querySelector('.name') ?? row).color,
      })),
    );
    const times = rows.map((row) => row.time);
    assert.deepEqual(times, times.toSorted(), 'by time');
    const colours = new Map(rows.map((row) => [row.process, row.colour]));
    assert.equal(new Set(colours.values()).size, 3, `each process has a colour of its own: ${[...colours]}`);

    await page.getByRole('button', { name: 'Mute green' }).click();
    await eventually(() => namesOf(page), (names) => names === 'blue,red', 'the muted one is not shown');
    await page.getByRole('button', { name: 'Mute green' }).click();
    await page.getByRole('button', { name: 'green', exact: true }).click();
    await eventually(() => namesOf(page), (names) => names === 'green', 'only the chosen one is shown');
  }));

test('levels are chosen one by one, and counted', () =>
  stage.visit(processRoute(workspace, 'levels', 'app', 'logs'), async (page) => {
    await shows(linesOf(page), 'a detail');
    const levels = page.getByRole('group', { name: 'Level' });
    await shows(levels.getByRole('button', { name: 'Error' }), /Error ?1$/);
    await levels.getByRole('button', { name: 'Warn' }).click();
    await vanishes(linesOf(page).filter({ hasText: 'all is well' }));
    await shows(linesOf(page), 'careful');
    await levels.getByRole('button', { name: 'Error' }).click();
    await shows(linesOf(page), 'it broke');
    await levels.getByRole('button', { name: 'Warn' }).click();
    await vanishes(linesOf(page).filter({ hasText: 'careful' }));
    await levels.getByRole('button', { name: 'All' }).click();
    await shows(linesOf(page), 'a detail');
  }));

test('a crash stands out from a stop that was asked for', () =>
  stage.visit(environmentRoute(workspace, 'ends', 'logs'), async (page) => {
    const said = (/** @type {string} */ text) => linesOf(page).filter({ hasText: text });
    await shows(said('exited with 3'), 'run 1 exited with 3');
    await shows(said('was stopped'), /run 1 was stopped/);
    const colours = (/** @type {string} */ text) =>
      said(text).evaluate((row) => [getComputedStyle(row).borderTopColor, getComputedStyle(row.querySelector('.text') ?? row).color].join());
    const bad = await page.evaluate(() => {
      const probe = document.body.appendChild(document.createElement('i'));
      probe.style.color = 'var(--bad)';
      const { color } = getComputedStyle(probe);
      probe.remove();
      return color;
    });
    assert.equal(await colours('exited with 3'), `${bad},${bad}`, 'the crash is red');
    assert.ok(!(await colours('was stopped')).includes(bad), 'the stop is not');
  }));

test('search takes text as it is, marks what it finds, and says when nothing fits', () =>
  stage.visit(processRoute(workspace, 'levels', 'app', 'logs'), async (page) => {
    await search(page).fill('CAREFUL (now)');
    await vanishes(linesOf(page).filter({ hasText: 'all is well' }));
    await shows(linesOf(page), 'WARN careful (now)');
    await eventually(() => page.locator('mark').allInnerTexts(), (marks) => marks.join() === 'careful (now)', 'it is marked');
    await search(page).fill('nothing says this');
    await shows(page.getByRole('main'), 'No line fits');
    await page.getByRole('button', { name: 'Clear the filter' }).click();
    await shows(linesOf(page), 'all is well');
    assert.equal(await search(page).inputValue(), '');
  }));

test('a regular expression finds; one that is none is shown as such, and mended', () =>
  stage.visit(processRoute(workspace, 'levels', 'app', 'logs'), async (page) => {
    await page.getByRole('button', { name: 'Regular expression' }).click();
    await search(page).fill('^(WARN|ERROR) ');
    await vanishes(linesOf(page).filter({ hasText: 'all is well' }));
    await eventually(() => linesOf(page).count(), (count) => count === 2, 'both are found');
    await page.getByRole('button', { name: 'Lines without it' }).click();
    await shows(linesOf(page), 'all is well');
    await vanishes(linesOf(page).filter({ hasText: 'careful' }));
    await page.getByRole('button', { name: 'Lines without it' }).click();
    await search(page).fill('WARN (');
    const why = page.getByRole('main').getByRole('alert');
    await shows(why, 'unclosed group');
    const [said, typed, caret] = ((await why.textContent()) ?? '').split('\n');
    assert.match(said ?? '', /at column 6$/, 'where it is');
    assert.equal(caret?.indexOf('^'), typed?.indexOf('('), 'and a mark below the place');
    assert.equal(await linesOf(page).count(), 0, 'nothing pretends to be found');
    await search(page).fill('WARN \\(?');
    await shows(linesOf(page), 'careful');
  }));

test('scrolling up pauses and counts new lines; nothing moves; End follows again', () =>
  stage.visit(processRoute(workspace, 'long', 'app', 'logs'), async (page) => {
    const newest = async () => Math.max(...(await linesOf(page).allInnerTexts()).map((text) => Number(/line (\d+)/.exec(text)?.[1] ?? 0)));
    const first = await eventually(newest, (number) => number >= 3000, 'the newest lines are shown');
    await eventually(newest, (number) => number > first, 'it follows');

    await page.getByTestId('log').hover();
    await page.mouse.wheel(0, -2000);
    const resume = page.getByTestId('log-resume');
    await shows(resume, /\d+ new lines/);
    const inSight = () => page.getByTestId('log').evaluate((log) => {
      const { top, left } = log.getBoundingClientRect();
      return document.elementFromPoint(left + 60, top + 60)?.closest('[data-testid="log-line"]')?.textContent ?? '';
    });
    await stands(page.getByTestId('log'));
    const read = await inSight();
    const counted = async () => Number((await resume.innerText()).match(/\d+/)?.[0]);
    const before = await counted();
    await eventually(counted, (count) => count > before + 10, 'new lines are counted');
    assert.equal(await inSight(), read, 'what one reads stays where it is');

    await page.getByTestId('log').focus();
    await page.keyboard.press('End');
    await vanishes(resume);
    const then = await newest();
    await eventually(newest, (number) => number > then, 'it follows again');
    await page.keyboard.press('Space');
    await appears(resume);
  }));

test('what a program prints is text: no element, no script, no control sequence comes of it', () =>
  stage.visit(environmentRoute(workspace, 'hostile', 'logs'), async (page) => {
    await shows(linesOf(page), '<script>window.ran = 1</script>');
    await shows(linesOf(page), '<img src=x onerror="window.ran = 1">');
    await shows(linesOf(page), 'red plain green');
    await shows(linesOf(page), 'after the title');
    await shows(linesOf(page), 'cleared');
    await shows(linesOf(page), /nul .{0,2}in the middle/);
    await shows(linesOf(page), 'after the empty one');
    const strange = await page.getByTestId('log').evaluate((log) => [...log.querySelectorAll(':not(div):not(span)')].map((each) => each.outerHTML));
    assert.deepEqual(strange, [], 'only what the page itself is made of');
    assert.equal(await page.evaluate(() => 'ran' in window), false, 'nothing of it runs');
    assert.match(await page.title(), /Forge/, 'no program names the page');
    const text = (await linesOf(page).allInnerTexts()).join('');
    // eslint-disable-next-line no-control-regex
    assert.doesNotMatch(text, /[\u0000\u0007\u001b]/, 'control characters are not shown');

    const colourOf = (/** @type {string} */ word) => linesOf(page).getByText(word, { exact: true }).first().evaluate((one) => getComputedStyle(one).color);
    const [red, green, plain] = [await colourOf('red'), await colourOf('green'), await linesOf(page).first().locator('.text').evaluate((one) => getComputedStyle(one).color)];
    assert.equal(new Set([red, green, plain]).size, 3, `colours are shown: ${red}, ${green}, ${plain}`);
  }));

test('a very long line neither widens the page nor is drawn whole', () =>
  stage.visit(processRoute(workspace, 'hostile', 'garbage', 'logs'), async (page) => {
    await shows(linesOf(page), /more characters/);
    const widths = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.equal(widths[0], widths[1], 'only the log itself scrolls sideways');
    await page.getByRole('button', { name: /Wrap/ }).click();
    await eventually(() => page.getByTestId('log').evaluate((log) => log.scrollWidth <= log.clientWidth), Boolean, 'wrapped, it fits');
  }));

test('times are read in local time, in UTC, as ages, or not at all', () =>
  stage.visit(
    processRoute(workspace, 'levels', 'app', 'logs'),
    async (page) => {
      const row = linesOf(page).filter({ hasText: 'careful' });
      await shows(row, 'careful');
      const written = new Date((await row.locator('.time').getAttribute('title')) ?? '');
      const utc = written.toISOString().slice(11, 23);
      // Kathmandu is five hours and three quarters ahead.
      const local = new Date(written.getTime() + 345 * 60_000).toISOString().slice(11, 23);
      const stamp = async () => (await row.locator('.time').textContent()) ?? '';
      await eventually(stamp, (text) => text === local, `local: ${local}`);
      await page.keyboard.press('s');
      await eventually(stamp, (text) => text === `${utc}Z`, `UTC: ${utc}Z`);
      await page.keyboard.press('s');
      const seconds = (/** @type {string} */ text) => (/^(\d+m )?\d+s$/.test(text) ? [.../(?:(\d+)m )?(\d+)s/.exec(text) ?? []].slice(1).reduce((sum, part, at) => sum + Number(part ?? 0) * (at === 0 ? 60 : 1), 0) : -1);
      const old = seconds(await eventually(stamp, (text) => seconds(text) > 0, 'how long ago'));
      assert.ok(Math.abs(old - (Date.now() - written.getTime()) / 1000) < 5, `${old} s is how long ago it was`);
      await eventually(async () => seconds(await stamp()), (age) => age > old, 'it grows older');
      await page.keyboard.press('s');
      await eventually(() => row.locator('.time').isVisible(), (visible) => !visible, 'no times');
      await page.getByRole('button', { name: 'More for the log' }).click();
      await page.getByRole('menuitemradio', { name: 'UTC' }).click();
      await eventually(stamp, (text) => text === `${utc}Z`, `UTC again: ${utc}Z`);
    },
    { context: { timezoneId: 'Asia/Kathmandu' } },
  ));

test('a question that waits for its answer stands below the lines, and is one of them when it is answered', () =>
  stage.visit(environmentRoute(workspace, 'asks', 'logs'), async (page) => {
    await shows(page.getByTestId('log-open'), 'Continue? [y/N]');
    writeFileSync(workspace.path('go'), '');
    await shows(linesOf(page).last(), 'Continue? [y/N] yes');
    await vanishes(page.getByTestId('log-open'));
    assert.equal(await linesOf(page).filter({ hasText: 'Continue?' }).count(), 1, 'once');
  }));
