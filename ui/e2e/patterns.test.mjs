// What the lines of an environment say again and again.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';

import { eventually, shows } from './harness/expect.mjs';
import { environmentRoute } from './harness/routes.mjs';
import { useStage } from './harness/stage.mjs';
import { node } from './harness/workspace.mjs';

/** @type {import('./harness/workspace.mjs').Workspace} */ let workspace;

const stage = useStage(async (stage) => {
  const writing = (/** @type {string} */ word, /** @type {number} */ times) =>
    node(
      (word, times) => {
        for (let at = 0; at < Number(times); at += 1) console.log(`${word} request ${at} took ${at * 7} ms`);
        console.log('INFO just once');
        setInterval(() => {}, 1e6);
      },
      word,
      times,
    );
  const speaking = node((file) => {
    console.log('as always');
    console.log(require('node:fs').readFileSync(file, 'utf8'));
    setInterval(() => {}, 1e6);
  }, 'say');
  workspace = await stage.trusted({
    later: [{ name: 'speaker', command: speaking }],
    dev: [{ name: 'sound', command: writing('INFO', 300) }, { name: 'sick', command: writing('ERROR', 40) }],
  });
  await stage.forge.run('-C', workspace.folder, 'start', 'dev');
});

test('what only the present run says is new, and each pattern shows when it was said', async () => {
  const folder = workspace.path('say');
  writeFileSync(folder, 'nothing');
  await stage.forge.run('-C', workspace.folder, 'start', 'later');
  await eventually(() => stage.forge.run('-C', workspace.folder, 'logs', 'later/speaker'), (text) => text.includes('nothing'), 'it has spoken');
  writeFileSync(folder, 'ERROR a new one');
  await stage.forge.run('-C', workspace.folder, 'restart', 'later');
  await stage.visit(environmentRoute(workspace, 'later', 'patterns'), async (page) => {
    const of = (/** @type {string} */ text) => page.getByTestId('pattern').filter({ hasText: text });
    await shows(of('a new one'), 'new');
    assert.equal(await of('as always').locator('.new').count(), 0, 'what it said before is not');
    assert.match((await of('as always').locator('svg path').last().getAttribute('d')) ?? '', /^M.*M/, 'a bar for each time');
    assert.match((await of('as always').locator('td').nth(5).textContent()) ?? '', /\d\d:\d\d:\d\d/, 'since when');
  });
});

test('lines that say the same are one pattern, the worst first, and lead to the lines', () =>
  stage.visit(environmentRoute(workspace, 'dev', 'patterns'), async (page) => {
    const patterns = page.getByTestId('pattern');
    await shows(patterns.first(), /error 40 .*request .* sick/);
    await shows(patterns, /info 300 .*request .* sound/);
    await shows(page.getByTestId('trend-sick'), /sick 40/);
    assert.equal(await page.getByTestId('trend-sound').count(), 0, 'who has no errors has no trend');
    await page.getByRole('textbox', { name: 'Filter patterns' }).fill('once');
    await eventually(() => patterns.count(), (count) => count === 2, 'one of each process');
    await page.getByRole('textbox', { name: 'Filter patterns' }).fill('');
    await patterns.first().getByRole('link').first().click();
    await shows(page.getByTestId('log-line'), 'ERROR request 39 took');
    assert.equal(await page.getByTestId('log-line').filter({ hasText: 'just once' }).count(), 0, 'only those lines');
  }));
