// What no program should write: it is shown as text, found, and saved whole, and the page answers all the while.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { eventually, shows } from './harness/expect.mjs';
import { processRoute } from './harness/routes.mjs';
import { useStage } from './harness/stage.mjs';
import { node } from './harness/workspace.mjs';

/** @typedef {import('playwright-core').Page} Page */

/** Each writes lines that no search looks for, and as the last one `the needle`. @type {Record<string, string[]>} */
const CONTENTS = {
  empty: node(() => {
    process.stdout.write(`${'\n'.repeat(100_000)}the needle\n`, () => setInterval(() => {}, 1e6));
  }),
  long: node(() => {
    process.stdout.write(`${'x'.repeat(3_000_000)}\nthe needle\n`, () => setInterval(() => {}, 1e6));
  }),
  bytes: node(() => {
    const nasty = [0, 1, 7, 8, 0xff, 0xfe, 0xc3, 0x28, 0x80, 10];
    const all = Buffer.concat([...Array(20_000).fill(Buffer.from(nasty)), Buffer.from('the needle\n')]);
    process.stdout.write(all, () => setInterval(() => {}, 1e6));
  }),
  bombs: node(() => {
    const bombs = ['\u001b[999999999C', '\u001b[2J\u001b[3J', '\u001b]0;title', '\u001b[', '\u001bP', '\u009b1;2;3', '\u001b[38;5;'];
    const text = bombs.map((bomb) => `${bomb.repeat(2000)}calm\n`).join('');
    process.stdout.write(`${text.repeat(20)}\u001b\\\u0007\u001b[0m\nthe needle\n`, () => setInterval(() => {}, 1e6));
  }),
  redrawn: node(() => {
    const bar = Array.from({ length: 50_000 }, (_, at) => `\r${at} of 50000`).join('');
    process.stdout.write(`${bar}\nthe needle\n`, () => setInterval(() => {}, 1e6));
  }),
};

/** How many lines there are at least. @type {Record<string, number>} */
const LEAST = { empty: 100_001, long: 2, bytes: 20_001, bombs: 141, redrawn: 2 };

/** @type {import('./harness/workspace.mjs').Workspace} */ let workspace;

const stage = useStage(async (stage) => {
  workspace = await stage.trusted({ nasty: Object.entries(CONTENTS).map(([name, command]) => ({ name, command })) });
  await stage.forge.run('-C', workspace.folder, 'start', 'nasty');
});

/** @param {Page} page */
const linesOf = (page) => page.getByTestId('log-line');
/** @param {Page} page */
const current = (page) => page.locator('[data-testid="log-line"][aria-current="true"]');

for (const name of Object.keys(CONTENTS)) {
  test(`${name}: it is shown as text, found, filtered and saved, and the page answers`, () =>
    stage.visit(processRoute(workspace, 'nasty', name, 'logs'), async (page) => {
      await shows(linesOf(page), 'the needle');
      const strange = await page.getByTestId('log').evaluate((log) => log.querySelectorAll('script, img, iframe, a').length);
      assert.equal(strange, 0, 'nothing of it is markup');

      // Back through what is nasty: the page draws on, and only what is in sight.
      await page.getByTestId('log').hover();
      for (let turn = 0; turn < 20; turn += 1) await page.mouse.wheel(0, -4000);
      await eventually(() => linesOf(page).count(), (count) => count > 0 && count < 200, 'what is in sight is drawn');

      await page.keyboard.press('Control+f');
      await page.getByTestId('log-find').fill('the needle');
      await page.keyboard.press('Enter');
      await shows(page.getByTestId('log-find-count'), /^1 of 1$/);
      await shows(current(page), 'the needle');
      await page.keyboard.press('Escape');

      await page.getByTestId('log-search').fill('needle');
      await eventually(() => linesOf(page).count(), (count) => count === 1, 'the filter fits one');
      const download = page.waitForEvent('download');
      await page.getByRole('button', { name: 'More for the log' }).click();
      await page.getByRole('menuitem', { name: /JSON lines/ }).click();
      const saved = readFileSync(await (await download).path(), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line).text);
      assert.deepEqual(saved, ['the needle']);

      const whole = page.waitForEvent('download');
      await page.getByTestId('log-search').fill('');
      await page.getByRole('button', { name: 'More for the log' }).click();
      await page.getByRole('menuitem', { name: /JSON lines/ }).click();
      const lines = readFileSync(await (await whole).path(), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line).text);
      assert.equal(lines.filter((text) => text === 'the needle').length, 1, 'all that is there is saved');
      assert.ok(lines.length >= (LEAST[name] ?? 0), `${lines.length} lines`);
    }));
}
