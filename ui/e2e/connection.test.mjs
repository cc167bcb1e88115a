// Where the page is, and whether anybody answers.
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';

import { appears, eventually, shows, vanishes } from './harness/expect.mjs';
import { environmentRoute, processRoute } from './harness/routes.mjs';
import { useStage } from './harness/stage.mjs';
import { nasty } from './harness/workspace.mjs';

/** @type {import('./harness/workspace.mjs').Workspace} */ let workspace;

const stage = useStage(async (stage) => {
  workspace = await stage.trusted({
    dev: [
      { name: 'api', command: nasty('print', 'api is here', 'forever') },
      { name: 'talker', command: nasty('flood', '--rate', 100) },
    ],
  });
  await stage.forge.run('-C', workspace.folder, 'start', 'dev');
});

/** A browser reports the upgrade that fails; that is what these tests are about. */
const refusedSocket = /WebSocket connection to .* failed|Failed to load resource|ERR_CONNECTION_REFUSED/;

test('the token goes out of the address, and a reload keeps the place', () =>
  stage.visit(processRoute(workspace, 'dev', 'api', 'logs'), async (page) => {
    await shows(page.getByTestId('log-line'), 'api is here');
    assert.doesNotMatch(page.url(), /token/);
    await page.reload();
    await shows(page.getByTestId('log-line'), 'api is here');
    await shows(page.getByRole('heading', { level: 1 }), /dev \/ api/);
    assert.match(await page.title(), /api · dev · Forge/);
  }));

test('the back key goes where one was', () =>
  stage.visit('/', async (page) => {
    await page.getByTestId('environment-dev').click();
    await page.getByTestId('process-api').getByRole('link', { name: 'api' }).click();
    await shows(page.getByRole('heading', { level: 1 }), /dev \/ api/);
    await page.goBack();
    await appears(page.getByTestId('process-api'));
    await page.goBack();
    await appears(page.getByRole('table', { name: 'Environments' }));
  }));

for (const [what, route, says] of /** @type {[string, () => string, RegExp][]} */ ([
  ['process', () => processRoute(workspace, 'dev', 'nobody'), /no process “nobody” in dev/],
  ['environment', () => environmentRoute(workspace, 'nowhere'), /no such environment “nowhere”/],
  ['workspace', () => `/w/${encodeURIComponent('/no/such/folder')}`, /no such workspace/],
])) {
  test(`a link to an unknown ${what} says so, and leads on`, () =>
    stage.visit(route(), async (page) => {
      await shows(page.getByRole('main'), says);
      await page.getByRole('main').getByRole('link').first().click();
      await appears(page.getByTestId('process-api').or(page.getByRole('table', { name: 'Environments' })));
    }));
}

for (const [how, token] of /** @type {[string, string | null][]} */ ([['a wrong', 'A'.repeat(43)], ['no', null]])) {
  test(`with ${how} token the page shows nothing of the machine, and says what to do`, () =>
    stage.visit(
      environmentRoute(workspace, 'dev'),
      async (page) => {
        await shows(page.getByRole('main'), 'This page needs a token');
        await shows(page.getByRole('main'), 'forge serve --http');
        assert.equal((await page.content()).includes(workspace.folder), false, 'no name of anything');
        await page.getByRole('textbox').fill(stage.url('/'));
        await page.getByRole('button', { name: 'Open' }).click();
        await appears(page.getByTestId('environment-dev'));
      },
      { token, tolerate: refusedSocket },
    ));
}

test('the right address typed over a wrong one is taken up', () =>
  stage.visit(
    '/',
    async (page) => {
      await shows(page.getByRole('main'), 'This page needs a token');
      // Only the fragment differs: a browser loads nothing anew for it.
      await page.goto(stage.url(environmentRoute(workspace, 'dev')));
      await appears(page.getByTestId('process-api'));
      assert.doesNotMatch(page.url(), /token/);
    },
    { token: null, tolerate: refusedSocket },
  ));

test('nothing is pulled for a page that nobody sees, and it is up to date when somebody does', () =>
  stage.visit(environmentRoute(workspace, 'dev', 'logs'), async (page) => {
    let received = 0;
    page.on('websocket', (socket) => socket.on('framereceived', () => (received += 1)));
    await page.reload();
    const newest = async () => Math.max(0, ...(await page.getByTestId('log-line').allInnerTexts()).map((text) => Number(/line (\d+)/.exec(text)?.[1] ?? 0)));
    await eventually(newest, (number) => number > 0, 'lines come');

    const look = (/** @type {boolean} */ hidden) =>
      page.evaluate((now) => {
        Object.defineProperty(document, 'hidden', { value: now, configurable: true });
        Object.defineProperty(document, 'visibilityState', { value: now ? 'hidden' : 'visible', configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
      }, hidden);
    const written = async () => {
      const text = await stage.forge.run('-C', workspace.folder, '--json', 'logs', 'talker', '-n', '1');
      return Number(/line (\d+)/.exec(text)?.[1] ?? 0);
    };
    await look(true);
    // What was under way arrives yet: the answer that waited, and that of the farewell.
    const settled = await written();
    await eventually(written, (number) => number > settled + 50, 'lines are written');
    const before = received;
    const then = await written();
    await eventually(written, (number) => number > then + 200, 'two more seconds of lines are written');
    assert.ok(received - before <= 1, `${received - before} messages came to a hidden page`);

    await look(false);
    const now = await written();
    await eventually(newest, (number) => number >= now, 'it shows what came meanwhile');
  }));

/** A session of somebody else's; `null`: there is no place for one. */
function session() {
  const { port, token } = stage.forge;
  const headers = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    'sec-websocket-protocol': `forge, ${token}`,
  };
  return new Promise((/** @type {(socket: import('node:stream').Duplex | null) => void} */ done, fail) => {
    const asking = request({ host: '127.0.0.1', port, path: '/ws', headers, agent: false });
    asking.on('upgrade', (_answer, socket) => done(socket));
    asking.on('response', (answer) => {
      answer.resume();
      if (answer.statusCode === 503) done(null);
      else fail(new Error(`it answers ${answer.statusCode}`));
    });
    asking.on('error', fail);
    asking.end();
  });
}

test('a server that is full is no wrong token: the page comes in when there is a place', async () => {
  /** @type {import('node:stream').Duplex[]} */
  const others = [];
  try {
    for (let socket = await session(); socket; socket = await session()) others.push(socket);
    await stage.visit(
      environmentRoute(workspace, 'dev'),
      async (page) => {
        await shows(page.getByRole('status'), 'Forge does not answer');
        assert.equal(await page.getByText('This page needs a token').count(), 0);
        others.splice(0).forEach((socket) => socket.destroy());
        await shows(page.getByTestId('process-api-status'), 'ready');
      },
      { tolerate: refusedSocket },
    );
  } finally {
    others.forEach((socket) => socket.destroy());
  }
});

// The last one: the supervisor ends in it.
test('a supervisor that dies is missed, its processes run on, and the next one needs its own token', () =>
  stage.visit(
    environmentRoute(workspace, 'dev'),
    async (page) => {
      await shows(page.getByTestId('process-api-status'), 'ready');
      const { port, token } = stage.forge;
      await stage.forge.kill();
      await shows(page.getByRole('status'), 'Forge does not answer');
      await shows(page.getByRole('status'), 'forge doctor');
      await shows(page.getByTestId('process-api-status'), 'ready');

      await stage.forge.serve(port);
      assert.notEqual(stage.forge.token, token, 'every run has its own');
      await shows(page.getByRole('main'), 'This page needs a token');
      await shows(page.getByRole('main'), 'earlier run');
      await page.getByRole('textbox').fill(stage.url('/'));
      await page.getByRole('button', { name: 'Open' }).click();
      await vanishes(page.getByText('This page needs a token'));
      await shows(page.getByTestId('environment-dev'), 'running');
    },
    { tolerate: refusedSocket },
  ));
