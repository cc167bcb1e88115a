// What is measured and worth a warning: it is told once, until somebody wants to hear no more of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { appears, shows, vanishes } from './harness/expect.mjs';
import { environmentRoute, processRoute } from './harness/routes.mjs';
import { useStage } from './harness/stage.mjs';
import { nasty } from './harness/workspace.mjs';

/** @typedef {import('playwright-core').Page} Page */

/** @type {import('./harness/workspace.mjs').Workspace} */ let workspace;

const stage = useStage(async (stage) => {
  // As good as no files, of which it has some open: nothing that comes and goes.
  const greedy = `ulimit -n 20 && exec ${nasty('forever').join(' ')}`;
  workspace = stage.workspace();
  workspace.write(
    JSON.stringify({
      settings: { alerts: { open_files: 5, unhealthy: '200ms' } },
      ill: [
        {
          name: 'sick',
          command: nasty('print', 'half-hearted', 'forever'),
          health_check: { exec: 'exit 3', interval: '100ms', retries: 1, start_period: '0s' },
        },
      ],
      dev: [
        { name: 'greedy', command: greedy },
        { name: 'calm', command: nasty('forever') },
      ],
    }),
  );
  await stage.forge.run('workspaces', 'add', workspace.folder);
  await stage.forge.run('workspaces', 'trust', workspace.folder);
  await stage.forge.run('-C', workspace.folder, 'start', 'dev');
});

/** The machine may have an alert of its own while tests run. @param {Page} page */
const noticeOf = (page) => page.getByRole('main').locator('[data-testid^="notice-"]', { hasText: 'greedy' });
/** @param {Page} page */
const loud = (page) => page.getByRole('list', { name: 'Warnings', exact: true }).getByTestId('warning-open_files');
/** @param {Page} page */
const muted = (page) => page.getByRole('list', { name: 'Muted warnings' }).getByTestId('warning-open_files');
/** The line that they are folded into. @param {Page} page */
const fold = (page) => page.getByText('1 muted', { exact: true });

test('what stays unhealthy is told with its last output and a command to copy', () =>
  stage.visit(environmentRoute(workspace, 'ill'), async (page) => {
    await stage.forge.run('-C', workspace.folder, 'start', 'ill', '-d');
    const notice = page.getByRole('main').locator('[data-testid^="notice-"]', { hasText: 'sick is unhealthy' });
    await shows(notice, /for .* now/);
    await shows(notice, 'logs dev/sick -n 50'.replace('dev', 'ill'));
    await shows(notice, 'half-hearted');
  }));

test('an alert that is muted stays so, and is heard again when that is wanted', () =>
  stage.visit(environmentRoute(workspace, 'dev'), async (page) => {
    await shows(noticeOf(page), /greedy has \d+ of 20 files open/);
    await vanishes(loud(page));
    await noticeOf(page).getByRole('button', { name: 'Mute' }).click();
    await vanishes(noticeOf(page));
    await appears(fold(page));
    assert.equal(await muted(page).isVisible(), false, 'it is out of sight');

    await page.reload();
    await appears(fold(page));
    assert.equal(await noticeOf(page).count(), 0, 'it is not told again');
    await fold(page).click();
    await shows(muted(page), /greedy PID \d+ has \d+ of 20 files open/);

    await muted(page).getByRole('button', { name: 'Tell me again' }).click();
    await shows(loud(page), 'of 20 files open');
    await vanishes(fold(page));
    await page.reload();
    await appears(loud(page));
  }));

test('a warning can be muted where it stands, and the page of its process knows', () =>
  stage.visit(environmentRoute(workspace, 'dev'), async (page) => {
    await loud(page).getByRole('button', { name: 'Mute' }).click();
    await vanishes(loud(page));
    await page.goto(stage.url(processRoute(workspace, 'dev', 'greedy')));
    await fold(page).click();
    await muted(page).getByRole('button', { name: 'Tell me again' }).click();
    await appears(loud(page));
    await page.goto(stage.url(processRoute(workspace, 'dev', 'calm')));
    await appears(page.getByRole('heading', { level: 1, name: /calm/ }));
    assert.equal(await loud(page).count(), 0, 'its neighbour has none');
  }));

test('what is muted can be heard again while there is nothing of it', () =>
  stage.visit(environmentRoute(workspace, 'dev'), async (page) => {
    await loud(page).getByRole('button', { name: 'Mute' }).click();
    await appears(fold(page));
    await stage.forge.run('-C', workspace.folder, 'stop', 'dev/greedy');
    await fold(page).click();
    await shows(muted(page), 'greedy open files near their limit: nothing at present');
    await muted(page).getByRole('button', { name: 'Tell me again' }).click();
    await vanishes(fold(page));
    await stage.forge.run('-C', workspace.folder, 'start', 'dev/greedy');
    await shows(noticeOf(page), 'of 20 files open');
  }));
