// What the lines of an environment say again and again.
import assert from 'node:assert/strict';
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
  workspace = await stage.trusted({ dev: [{ name: 'sound', command: writing('INFO', 300) }, { name: 'sick', command: writing('ERROR', 40) }] });
  await stage.forge.run('-C', workspace.folder, 'start', 'dev');
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
