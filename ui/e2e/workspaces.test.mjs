// From nothing to a trusted workspace.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';

import { appears, eventually, shows, vanishes } from './harness/expect.mjs';
import { environmentRoute, workspaceRoute } from './harness/routes.mjs';
import { useStage } from './harness/stage.mjs';
import { nasty } from './harness/workspace.mjs';

/** @typedef {import('playwright-core').Page} Page */

/** @param {Page} page @param {string} folder */
async function add(page, folder) {
  await page.getByRole('button', { name: 'Add workspace' }).click();
  await page.getByTestId('workspace-path').fill(folder);
  await page.getByTestId('workspace-add').click();
}

describe('the first run', () => {
  const stage = useStage();

  test('without a workspace the page says what to do next', () =>
    stage.visit('/', async (page) => {
      await shows(page.getByRole('main'), '.forge/processes.yml');
      await shows(page.getByRole('main'), 'forge start');
      await page.getByRole('button', { name: 'Choose a folder' }).click();
      await appears(page.getByRole('dialog', { name: 'Add a workspace' }));
      const focused = await page.getByTestId('workspace-path').evaluate((field) => field === document.activeElement);
      assert.ok(focused, 'one can type the path at once');
    }));

  test('a folder that is not there is refused, with the reason beside the field', () =>
    stage.visit('/', async (page) => {
      await add(page, '/nowhere/at/all');
      await shows(page.getByRole('dialog'), '/nowhere/at/all');
      assert.equal(await page.getByRole('dialog').getByRole('button', { name: 'Write an example' }).count(), 0);
    }));

  test('into a folder without a configuration an example is written, when it is asked for', () =>
    stage.visit('/', async (page) => {
      const workspace = stage.workspace();
      await add(page, workspace.folder);
      await shows(page.getByRole('dialog'), 'There is no .forge/processes.yml');
      assert.ok(!existsSync(workspace.path('.forge')), 'nothing is written before it is asked for');
      await page.getByRole('button', { name: 'Write an example' }).click();
      await shows(page.getByRole('heading', { level: 1 }), workspace.name);
      await shows(page.getByRole('main'), workspace.path('.forge/processes.yml'));
      assert.match(readFileSync(workspace.path('.forge/processes.yml'), 'utf8'), /command:/, 'it shows how');
      await vanishes(page.getByRole('dialog'));
    }));
});

describe('a workspace', () => {
  const stage = useStage();

  test('that was added runs nothing before its commands were seen and trusted', () =>
    stage.visit('/', async (page) => {
      const workspace = stage.workspace({
        dev: [{ name: 'quiet', command: 'echo here I am; exec sleep 1000', health_check: 'true' }],
      });
      await add(page, workspace.folder);
      const panel = page.getByTestId('trust');
      await shows(panel, 'echo here I am; exec sleep 1000');
      await shows(panel, 'health check');
      await shows(page.getByTestId('process-quiet-status'), 'stopped');
      await panel.getByRole('button', { name: 'Trust and start' }).click();
      await shows(page.getByTestId('process-quiet-status'), 'ready');
      await vanishes(panel);
      await page.getByRole('main').getByTestId('stop-dev').click();
      await shows(page.getByTestId('process-quiet-status'), 'stopped');
    }));

  test('with many commands to trust shows its processes and the button with them', () =>
    stage.visit('/', async (page) => {
      const names = Array.from({ length: 40 }, (_, at) => `service-${at}`);
      const workspace = stage.workspace({ many: names.map((name) => ({ name, command: nasty('forever') })) });
      await add(page, workspace.folder);
      const panel = page.getByTestId('trust');
      await shows(panel, '40 commands');
      const inSight = (/** @type {import('playwright-core').Locator} */ one) => one.evaluate((element) => {
        const { x, y, width, height } = element.getBoundingClientRect();
        return element.contains(document.elementFromPoint(x + width / 2, y + height / 2));
      });
      const last = panel.getByRole('row', { name: 'service-39' });
      assert.equal(await inSight(page.getByTestId('process-service-0')), true, 'the processes are below them');
      assert.equal(await inSight(last), false, 'there are more commands than fit');
      // With the keys, as one who has no mouse would.
      await panel.getByRole('group', { name: 'Commands' }).press('End');
      await eventually(() => inSight(last), (seen) => seen, 'they scroll in their own place');
      assert.equal(await inSight(panel.getByRole('button', { name: 'Trust and start' })), true, 'the button stays');
    }));

  test('whose commands changed asks again', async () => {
    const workspace = await stage.trusted({ changing: [{ name: 'one', command: nasty('forever') }] });
    await stage.visit(workspaceRoute(workspace), async (page) => {
      await shows(page.getByRole('main'), 'What it runs');
      workspace.configure({ changing: [{ name: 'one', command: 'echo something else' }] });
      const panel = page.getByTestId('trust');
      await shows(panel, 'echo something else');
      await panel.getByRole('button', { name: 'Trust', exact: true }).click();
      await vanishes(panel);
    });
  });

  for (const [how, begun] of /** @type {const} */ ([['runs', true], ['is stopped', false]])) {
    test(`whose configuration breaks while it ${how} shows file, line and column, and heals when the file does`, async () => {
      const good = { breaking: [{ name: 'one', command: nasty('forever') }] };
      const workspace = await stage.trusted(good);
      if (begun) await stage.forge.run('-C', workspace.folder, 'start', 'breaking');
      await stage.visit(environmentRoute(workspace, 'breaking'), async (page) => {
        await shows(page.getByTestId('process-one-status'), begun ? 'ready' : 'stopped');
        workspace.write('breaking:\n  - name: one\n    command: "true"\n    dependson: [two]\n');
        const problem = page.getByTestId('problem');
        await shows(problem, /processes\.yml:4:5/);
        await shows(problem, 'dependson: [two]');
        await shows(problem, 'depends_on');
        if (begun) await shows(page.getByTestId('process-one-status'), 'ready');
        workspace.configure(good);
        await vanishes(problem);
        await appears(page.getByTestId('process-one'));
      });
    });
  }

  test('can be taken out of the page, and is not deleted', async () => {
    const workspace = await stage.trusted({ leaving: [{ name: 'one', command: nasty('forever') }] });
    await stage.visit(workspaceRoute(workspace), async (page) => {
      await page.getByRole('button', { name: 'Remove from Forge' }).click();
      await vanishes(page.getByTestId('environment-leaving'));
      await eventually(() => page.url(), (url) => url.endsWith('#/'), 'home is shown');
      assert.ok(existsSync(workspace.path('.forge/processes.yml')), 'the file is still there');
    });
  });

  test('whose description and variables are written as markup shows them as text', async () => {
    const workspace = await stage.trusted({
      marked: {
        description: '<img src=x onerror="window.ran = 1"> & <b>bold</b>',
        processes: [{ name: 'one', command: nasty('forever'), env: { GREETING: '<script>window.ran = 1</script>' } }],
      },
    });
    await stage.visit(workspaceRoute(workspace), async (page) => {
      await shows(page.getByRole('main'), '<img src=x onerror="window.ran = 1"> & <b>bold</b>');
      assert.equal(await page.locator('main img, main b').count(), 0, 'a description is text');
      assert.equal(await page.evaluate(() => 'ran' in window), false, 'nothing of it runs');
    });
  });
});
