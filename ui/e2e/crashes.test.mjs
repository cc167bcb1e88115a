// What the page says when a process ends that should not, and what it offers.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { dirname, delimiter } from 'node:path';
import { test } from 'node:test';

import { appears, eventually, shows, vanishes } from './harness/expect.mjs';
import { FORGE } from './harness/forge.mjs';
import { environmentRoute, processRoute } from './harness/routes.mjs';
import { useStage } from './harness/stage.mjs';
import { freePorts, nasty } from './harness/workspace.mjs';

/** @typedef {import('./harness/workspace.mjs').Workspace} Workspace */

/** @type {Workspace} */ let workspace;
let port = 0;

const stage = useStage(async (stage) => {
  [port] = /** @type {[number]} */ (await freePorts(1));
  const server = nasty('print', 'opening the shop', 'listen', port, '--http', 200, '--crash-on', '/crash');
  workspace = await stage.trusted({
    dev: [
      { name: 'api', command: server, port, auto_restart: { delay: '2m' } },
      { name: 'other', command: nasty('forever') },
    ],
    hopeless: [{ name: 'broken', command: nasty('eprint', 'cannot go on', 'exit', 3), auto_restart: { delay: '10ms', max_crashes: 2 } }],
    several: ['one', 'two', 'three', 'four'].map((name) => ({ name, command: nasty('eprint', `no ${name}`, 'exit', 1), auto_restart: { delay: '5m' } })),
    absent: [{ name: 'ghost', command: 'no-such-program-anywhere --at all' }],
  });
});

/** Everything of `dev` is ready, and then `api` crashes. */
async function crash() {
  await stage.forge.run('-C', workspace.folder, 'start', 'dev');
  // It answers with its end.
  await fetch(`http://127.0.0.1:${port}/crash`).catch(() => {});
}

/** @param {import('playwright-core').Page} page */
const noticeOf = (page) => page.locator('[data-testid^="crash-"]');

test('a crash stands on top with its last lines, and Restart now restarts', () =>
  stage.visit(environmentRoute(workspace, 'dev'), async (page) => {
    await crash();
    const notice = noticeOf(page);
    await shows(notice, 'api crashed');
    await shows(notice, /exit 1|code 1/);
    await shows(notice, 'crashing, as /crash asks');
    await shows(notice, `forge -C ${workspace.folder} logs dev/api -n 50`);
    await shows(notice, /in 1m 5\ds/);
    await shows(page.getByTestId('process-api-status'), 'restarting');
    await shows(page.getByTestId('environment-dev'), /api/);
    const [above, below] = await Promise.all([notice.boundingBox(), page.getByTestId('process-api').boundingBox()]);
    if (!above || !below || above.y + above.height > below.y) throw new Error('the notice is not above the table');
    await notice.getByRole('button', { name: 'Restart now' }).click();
    await shows(page.getByTestId('process-api-status'), 'ready');
    await vanishes(notice);
  }));

test('Keep stopped keeps it stopped', () =>
  stage.visit(environmentRoute(workspace, 'dev'), async (page) => {
    await crash();
    await noticeOf(page).getByRole('button', { name: 'Keep stopped' }).click();
    await vanishes(noticeOf(page));
    await shows(page.getByTestId('process-api-status'), /crashed|stopped/);
    await shows(page.getByTestId('process-other-status'), 'ready');
  }));

test('Show log leads to the line', () =>
  stage.visit('/', async (page) => {
    await crash();
    await noticeOf(page).first().getByRole('button', { name: 'Show log' }).click();
    await shows(page.getByTestId('log-line'), 'crashing, as /crash asks');
    await shows(page.getByRole('heading', { level: 1 }), /dev \/ api/);
  }));

test('what crashes again and again is given up, and says so', () =>
  stage.visit(environmentRoute(workspace, 'hopeless'), async (page) => {
    await page.getByRole('main').getByTestId('start-hopeless').click();
    await shows(page.getByTestId('process-broken-status'), 'failed');
    await shows(noticeOf(page), 'cannot go on');
    await eventually(() => noticeOf(page).count(), (count) => count === 1, 'one incident is one notice');
    await noticeOf(page).getByRole('button', { name: /Dismiss/ }).click();
    await vanishes(noticeOf(page));
    // What happened still stands on its own page.
    await page.goto(stage.url(processRoute(workspace, 'hopeless', 'broken')));
    await shows(page.getByRole('region', { name: 'What happened' }), 'cannot go on');
  }));

test('several at once are one and a line of the others above a log', () =>
  stage.visit(environmentRoute(workspace, 'several', 'logs'), async (page) => {
    await stage.forge.run('-C', workspace.folder, 'start', 'several', '-d');
    const more = page.getByTestId('notices-more');
    await shows(more, /and \d more \w+ crashed · \w+ crashed · \w+ crashed/);
    await eventually(() => noticeOf(page).count(), (count) => count === 1, 'one is in sight');
    await more.click();
    await eventually(() => noticeOf(page).count(), (count) => count === 4, 'now all of them');
    await noticeOf(page).last().getByRole('button', { name: 'Keep stopped' }).click();
    await eventually(() => noticeOf(page).count(), (count) => count === 3, 'the others stay unfolded');
    await more.click();
    await eventually(() => noticeOf(page).count(), (count) => count === 1, 'folded again');
    await page.goto(stage.url(environmentRoute(workspace, 'several')));
    await eventually(() => noticeOf(page).count(), (count) => count === 3, 'where there is room all of them stand');
  }));

test('a program that is not there is named, and nothing pretends to run', () =>
  stage.visit(environmentRoute(workspace, 'absent'), async (page) => {
    await page.getByRole('main').getByTestId('start-absent').click();
    await shows(page.getByRole('main'), /no-such-program-anywhere.*(not found|PATH)/);
    await appears(page.getByRole('main').locator('[data-testid="start-absent"]:enabled'));
    await shows(page.getByTestId('process-ghost-status'), /stopped|failed/);
  }));

test('a command that is offered is copied, and that is said', () =>
  stage.visit(
    environmentRoute(workspace, 'dev'),
    async (page) => {
      await crash();
      const command = `forge -C ${workspace.folder} logs dev/api -n 50`;
      const button = noticeOf(page).getByRole('button', { name: `Copy command: ${command}` });
      await page.evaluate(() => navigator.clipboard.writeText('something else'));
      await button.click();
      await eventually(() => page.evaluate(() => navigator.clipboard.readText()), (text) => text === command, 'it is on the clipboard');
      await eventually(() => button.getAttribute('title'), (title) => title === 'Copied', 'it says so');
      await eventually(() => button.getAttribute('title'), (title) => title === 'Copy command', 'it can be copied again');
      await noticeOf(page).getByRole('button', { name: 'Keep stopped' }).click();
      await vanishes(noticeOf(page));
    },
    { context: { permissions: ['clipboard-read', 'clipboard-write'] } },
  ));

test('a command that the browser does not let the page copy is not said to be copied, and can be selected', () =>
  stage.visit(
    environmentRoute(workspace, 'dev'),
    async (page) => {
      await crash();
      const command = `forge -C ${workspace.folder} logs dev/api -n 50`;
      const button = noticeOf(page).getByRole('button', { name: `Copy command: ${command}` });
      await button.click();
      await eventually(() => page.evaluate(() => 'refused' in window), Boolean, 'it was tried');
      assert.equal(await button.getAttribute('title'), 'Copy command');
      await noticeOf(page).locator('code').filter({ hasText: command }).click();
      assert.equal(await page.evaluate(() => String(getSelection())), command);
      await noticeOf(page).getByRole('button', { name: 'Keep stopped' }).click();
      await vanishes(noticeOf(page));
    },
    { scripts: ["navigator.clipboard.writeText = () => { window.refused = true; return Promise.reject(new DOMException('no', 'NotAllowedError')); }"] },
  ));

/** What a shell says to a command that is pasted into it, far from any workspace. @param {string} command */
function pasted(command) {
  const variables = stage.forge.variables();
  const env = { ...variables, PATH: `${dirname(FORGE)}${delimiter}${process.env.PATH}` };
  return new Promise((/** @type {(said: { code: unknown, text: string }) => void} */ done) =>
    execFile('/bin/sh', ['-c', command], { cwd: '/', env }, (error, stdout, stderr) => done({ code: error?.code ?? 0, text: stdout + stderr })),
  );
}

test('commands that are offered work wherever they are pasted', async () => {
  const [taken] = /** @type {[number]} */ (await freePorts(1));
  const own = await stage.trusted(
    {
      dev: [{ name: 'api', command: nasty('eprint', 'cannot go on', 'exit', 3) }],
      absent: [{ name: 'ghost', command: 'no-such-program-anywhere --at all' }],
      holding: [{ name: 'holder', command: nasty('listen', taken), port: taken }],
      wanting: [{ name: 'wanter', command: nasty('listen', taken), port: taken }],
    },
    "Ann's shop",
  );
  const offered = async (/** @type {import('playwright-core').Page} */ page, /** @type {string} */ environment) => {
    await page.goto(stage.url(environmentRoute(own, environment)));
    await page.getByRole('main').getByTestId(`start-${environment}`).click();
    return copyable(page.getByRole('main'));
  };
  const copyable = async (/** @type {import('playwright-core').Locator} */ part) => {
    const label = await part.getByRole('button', { name: /^Copy command: / }).first().getAttribute('aria-label');
    return (label ?? '').replace('Copy command: ', '');
  };
  await stage.visit('/', async (page) => {
    const logs = await pasted(await offered(page, 'dev'));
    assert.deepEqual([logs.code, logs.text.includes('cannot go on')], [0, true], logs.text);
    const check = await pasted(await offered(page, 'absent'));
    assert.match(check.text, /no-such-program-anywhere/, 'it says what is missing');
    await stage.forge.run('-C', own.folder, 'start', 'holding');
    const port = await pasted(await offered(page, 'wanting'));
    assert.match(port.text, new RegExp(`port ${taken} is held by holding/holder`), 'it says who holds the port');
    own.write('dev: [');
    const wrong = await pasted(await copyable(page.getByTestId('problem')));
    assert.match(wrong.text, /processes\.yml/, 'it says where the configuration is wrong');
  });
});
