// What is measured, over time: one axis for all, and ways between the graphs and the log.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';

import { appears, eventually, shows, vanishes } from './harness/expect.mjs';
import { environmentRoute, processRoute } from './harness/routes.mjs';
import { useStage } from './harness/stage.mjs';
import { nasty, node } from './harness/workspace.mjs';

/** @typedef {import('playwright-core').Page} Page */

/** @type {import('./harness/workspace.mjs').Workspace} */ let workspace;

const stage = useStage(async (stage) => {
  workspace = await stage.trusted({
    dev: [
      { name: 'steady', command: node(() => setInterval(() => console.log('INFO still here'), 200)) },
      { name: 'falls', command: nasty('eprint', 'ERROR it is over', 'exit', 3), auto_restart: { delay: '10m' } },
    ],
    marked: [
      { name: 'falls', command: nasty('print', 'up', 'exit', 4), auto_restart: { delay: '10m' } },
      { name: 'again', command: nasty('forever') },
      { name: 'built', command: nasty('forever'), watch: ['*.txt'] },
    ],
  });
  await stage.forge.run('-C', workspace.folder, 'start', 'dev', '-d');
});

/** @param {Page} page @param {string} id */
const chart = (page, id) => page.getByTestId(`graph-${id}`);

/** All that there is to draw is drawn. @param {Page} page */
async function drawn(page) {
  for (const id of ['cpu', 'memory', 'threads', 'files']) await appears(chart(page, id).locator('canvas'));
}

test('what is measured is drawn, with the newest figure beside its title', () =>
  stage.visit(environmentRoute(workspace, 'dev', 'graphs'), async (page) => {
    await drawn(page);
    await shows(chart(page, 'memory').locator('figcaption'), /Memory ?\d+ MB/);
    await shows(chart(page, 'threads').locator('figcaption'), /Threads ?\d+/);
    await shows(page.getByRole('table', { name: 'Figures' }), /steady \d+\.\d % \d+ MB/);
  }));

test('dragging zooms all charts, a double click shows all again, and ranges can be chosen', () =>
  stage.visit(environmentRoute(workspace, 'dev', 'graphs'), async (page) => {
    await drawn(page);
    const box = await chart(page, 'cpu').locator('.u-over').boundingBox();
    assert.ok(box, 'the chart is there');
    await page.mouse.move(box.x + box.width * 0.6, box.y + 20);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.9, box.y + 30, { steps: 4 });
    await page.mouse.up();
    const zoomed = page.getByRole('button', { name: /Zoomed in/ });
    await appears(zoomed);
    await chart(page, 'memory').locator('.u-over').dblclick();
    await vanishes(zoomed);
    assert.equal(await chart(page, 'cpu-peaks').count(), 0, 'a second has no peak within it');
    for (const span of ['15 min', '1 h', '24 h']) {
      await page.getByRole('group', { name: 'Time shown' }).getByRole('button', { name: span }).click();
      await drawn(page);
    }
    await appears(chart(page, 'cpu-peaks'));
  }));

test('keys zoom in, show all again and stack', () =>
  stage.visit(environmentRoute(workspace, 'dev', 'graphs'), async (page) => {
    await drawn(page);
    await page.keyboard.press('+');
    const zoomed = page.getByRole('button', { name: /Zoomed in/ });
    await appears(zoomed);
    await page.keyboard.press('0');
    await vanishes(zoomed);
    const stacked = page.getByRole('button', { name: /Stacked/ });
    await page.keyboard.press('s');
    await eventually(() => stacked.getAttribute('aria-pressed'), (pressed) => pressed === 'true', 'stacked');
    await page.keyboard.press('s');
  }));

test('a crash stands on the axis, and leads to the log at that moment', () =>
  stage.visit(environmentRoute(workspace, 'dev', 'graphs'), async (page) => {
    const mark = page.getByTestId('mark-crash').first();
    await appears(mark);
    assert.match((await mark.getAttribute('title')) ?? '', /falls: .*exit 3/);
    await mark.click();
    await shows(page.getByTestId('log-line'), 'ERROR it is over');
    await eventually(() => page.getByTestId('log').evaluate((log) => log.querySelectorAll('[aria-current]').length), (count) => count === 1, 'the moment is marked');
  }));

test('a moment is kept by a click or a key, and leads to the log; a line leads back', () =>
  stage.visit(processRoute(workspace, 'dev', 'steady', 'graphs'), async (page) => {
    await drawn(page);
    await eventually(async () => {
      await page.keyboard.press('ArrowLeft');
      return page.getByTestId('log-at').count();
    }, (count) => count === 1, 'a key keeps a moment');
    await page.keyboard.press('Escape');
    await vanishes(page.getByTestId('log-at'));
    await chart(page, 'cpu').locator('.u-over').click({ position: { x: 200, y: 30 } });
    await appears(page.getByTestId('log-at'));
    await page.keyboard.press('ArrowRight');
    await page.getByTestId('log-at').click();
    await shows(page.getByTestId('log-line'), 'still here');
    await appears(page.getByTestId('log-resume'));
    await page.getByTestId('log-line').first().click();
    await page.keyboard.press('v');
    await drawn(page);
    await appears(page.getByTestId('log-at'));
  }));

test('one line can be hidden, or shown alone', () =>
  stage.visit(environmentRoute(workspace, 'dev', 'graphs'), async (page) => {
    await drawn(page);
    const pressed = (/** @type {string} */ name) => page.getByRole('button', { name, exact: true }).getAttribute('aria-pressed');
    await page.getByRole('button', { name: 'falls', exact: true }).click();
    await eventually(() => pressed('falls'), (value) => value === 'false', 'it is hidden');
    await page.getByRole('button', { name: 'falls', exact: true }).click({ modifiers: ['Control'] });
    await eventually(async () => [await pressed('falls'), await pressed('steady')], ([falls, steady]) => falls === 'true' && steady === 'false', 'it is alone');
    await page.getByRole('button', { name: /Stacked/ }).click();
    await drawn(page);
  }));

/**
 * Of the pixels above each other where a mark stands, the share that has its colour, in a chart; and of those beside it.
 * @param {Page} page @param {string} id @param {string} kind
 */
const inked = (page, id, kind) =>
  page.evaluate(([id, kind]) => {
    const mark = document.querySelector(`[data-testid="mark-${kind}"]`);
    const [canvas, plot] = ['canvas', '.u-over'].map((part) => document.querySelector(`[data-testid="graph-${id}"] ${part}`));
    const context = canvas instanceof HTMLCanvasElement && canvas.getContext('2d');
    if (!mark || !plot || !context) return null;
    const [whole, area, letter] = /** @type {const} */ ([context.canvas, plot, mark]).map((one) => one.getBoundingClientRect());
    if (!whole || !area || !letter) return null;
    const colour = (getComputedStyle(mark).color.match(/[\d.]+/g) ?? []).map(Number);
    const scale = context.canvas.width / whole.width;
    const [top, height] = [Math.round((area.top - whole.top) * scale), Math.round(area.height * scale)];
    const share = (/** @type {number} */ x) => {
      const { data } = context.getImageData(Math.round((x - whole.left) * scale), top, 1, height);
      let hits = 0;
      for (let at = 0; at < data.length; at += 4) {
        const far = [0, 1, 2].some((part) => Math.abs((data[at + part] ?? 0) - (colour[part] ?? 0)) > 24);
        if (!far && (data[at + 3] ?? 0) > 120) hits += 1;
      }
      return hits / height;
    };
    const middle = letter.left + letter.width / 2;
    return { there: Math.max(...[-1, 0, 1].map((by) => share(middle + by))), beside: share(middle - 12) };
  }, [id, kind]);

/** @type {[kind: string, process: string, letter: string, title: RegExp, bring: () => Promise<unknown>][]} */
const MARKED = [
  ['crash', 'falls', '✕', /falls: .*exit 4/, async () => {}],
  ['restart', 'again', '↻', /again: restarted/, () => stage.forge.run('-C', workspace.folder, 'restart', 'marked/again')],
  ['deploy', 'built', '▲', /built: restarted: page\.txt changed/, async () => writeFileSync(workspace.path('page.txt'), 'new')],
];

test('a crash, a restart and a deploy stand above the graphs, and are drawn in each of them', async (t) => {
  await stage.forge.run('-C', workspace.folder, 'start', 'marked', '-d');
  for (const [kind, process, letter, title, bring] of MARKED) {
    await t.test(kind, () =>
      stage.visit(processRoute(workspace, 'marked', process, 'graphs'), async (page) => {
        const start = page.getByTestId('mark-start');
        if (kind !== 'crash') {
          await appears(start);
          await bring();
        }
        const mark = page.getByTestId(`mark-${kind}`);
        await eventually(async () => (await mark.count()) === 1 && (await mark.getAttribute('title')), (told) => typeof told === 'string' && title.test(told), 'what happened is told');
        await shows(mark, letter);
        for (const id of ['cpu', 'memory']) {
          await eventually(() => inked(page, id, kind), (ink) => ink !== null && ink.there > 0.9 && ink.beside < 0.5, `it is a line in ${id}`);
        }
        assert.match((await mark.getAttribute('href')) ?? '', new RegExp(`/p/${process}/logs\\?time=`));
      }),
    );
  }
});

test('the pointer on one chart shows the same moment in all of them, and its figures', () =>
  stage.visit(environmentRoute(workspace, 'dev', 'graphs'), async (page) => {
    await drawn(page);
    const plots = page.locator('figure .u-over');
    const count = await plots.count();
    assert.ok(count >= 4, `${count} charts`);
    /** Where the line stands in each chart: a share of its width; `null`: none is shown. */
    const lines = () =>
      plots.evaluateAll((all) =>
        all.map((plot) => {
          const line = plot.querySelector('.u-cursor-x');
          if (!line || line.classList.contains('u-off')) return null;
          const [outer, inner] = [plot.getBoundingClientRect(), line.getBoundingClientRect()];
          const share = (inner.left - outer.left) / outer.width;
          return share >= 0 && share <= 1 ? share : null;
        }),
      );
    const moment = () => page.getByRole('table', { name: 'Figures' }).locator('thead th').first().innerText();
    /** @param {string} id @param {number} share */
    const point = async (id, share) => {
      const box = await chart(page, id).locator('.u-over').boundingBox();
      assert.ok(box, `${id} is there`);
      await page.mouse.move(box.x + box.width * share, box.y + box.height / 2);
    };
    for (const [id, share] of /** @type {const} */ ([['cpu', 0.9], ['memory', 0.4], ['threads', 0.7]])) {
      await chart(page, id).scrollIntoViewIfNeeded();
      await point(id, share);
      await eventually(lines, (all) => all.every((one) => one !== null && Math.abs(one - share) < 0.02), `pointed at in ${id}, all show ${share}`);
    }
    await chart(page, 'cpu').scrollIntoViewIfNeeded();
    await eventually(
      async () => {
        await point('cpu', 0.94);
        const earlier = await moment();
        await point('cpu', 0.99);
        return [earlier, await moment()];
      },
      ([earlier, later]) => /^\d\d:\d\d:\d\d$/.test(earlier ?? '') && (earlier ?? '') < (later ?? ''),
      'the figures are those of the moment',
    );
    await page.mouse.move(1, 1);
    await eventually(lines, (all) => all.every((one) => one === null), 'without the pointer there is none');
  }));
