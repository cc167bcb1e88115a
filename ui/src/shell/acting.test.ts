// @vitest-environment jsdom
// What one sees of what one asked for.
import { cleanup, configure, fireEvent, screen, waitFor, within } from '@testing-library/svelte';
import { tick } from 'svelte';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { Failure } from '../api/failure';
import { notice, processStatus, status, summary, workspace, WORKSPACE } from '../forge/fixtures';
import { webHost } from '../host/web';
import { toEnvironment, toProcess } from '../route/route';
import { openPage, prepareBrowser } from './fixture';

configure({ asyncUtilTimeout: 15_000 });
beforeEach(prepareBrowser);
afterEach(cleanup);

const command = (environment: string, process: string) => ({
  environment,
  process,
  purpose: 'command',
  command: `run ${process} of ${environment}`,
});

/** Nobody has confirmed its commands, and it says so to whoever starts something. */
const untrusted = {
  workspaces: () => ({ workspaces: [workspace([summary('dev', { startable: true })], { trusted: false })] }),
  'workspaces.commands': () => ({ hash: 'h1', trusted: false, commands: [command('dev', 'web'), command('ci', 'db')] }),
  start: () => {
    throw new Failure({ code: 'untrusted', message: 'its commands were not confirmed yet' });
  },
};

test('a start shows at once, in the header and in the rows that it is about', async () => {
  const { carrier } = await openPage({ start: 'later' });
  await fireEvent.click(await screen.findByTestId('start-dev'));
  await waitFor(() => expect(screen.getByTestId('process-web-status').textContent).toBe('starting …'));
  expect(within(screen.getByRole('main')).getByRole('status').textContent).toBe('starting …');
  expect(screen.getByTestId('process-api-status').textContent, 'it is on its way already').toBe('waiting');
  carrier.reply('start', {
    ticket: 1,
    workspace: WORKSPACE,
    environment: 'dev',
    processes: [],
    starting: [{ environment: 'dev', process: 'web' }],
  });
  const process = processStatus('web', { status: 'starting', ready: false });
  carrier.tell({ update: 'process', workspace: WORKSPACE, environment: 'dev', process });
  await waitFor(() => expect(screen.getByTestId('process-web-status').textContent).toBe('starting'));
});

test('a start from the log leads to the commands that nobody has confirmed yet', async () => {
  await openPage(untrusted, toEnvironment(WORKSPACE, 'dev', 'logs'));
  await fireEvent.click(await screen.findByTestId('start-dev'));
  const panel = await screen.findByTestId('trust');
  await waitFor(() => expect(document.activeElement).toBe(panel));
  expect(location.hash).toBe(toEnvironment(WORKSPACE, 'dev'));
  location.hash = toEnvironment(WORKSPACE, 'dev', 'logs');
  await screen.findByTestId('log');
  expect(screen.queryByTestId('trust'), 'whoever goes on is not held back').toBe(null);
});

test('what is trusted with an environment is folded below its own commands', async () => {
  await openPage(untrusted);
  await screen.findByText('run web of dev');
  const rest = screen.getByText('1 command of ci, trusted with them').closest('details');
  expect(rest?.open).toBe(false);
  expect(rest?.textContent).toContain('run db of ci');
});

test('at home a refused start names its place, and leads to the commands', async () => {
  await openPage(untrusted, '#/');
  await fireEvent.click(await screen.findByTestId('start-dev'));
  const strip = await screen.findByTestId('refusal');
  expect(strip.textContent).toContain('shop / dev');
  await fireEvent.click(within(strip).getByText('Look at its commands'));
  await waitFor(async () => expect(document.activeElement).toBe(await screen.findByTestId('trust')));
});

test('what is refused while one reads the log stands above it', async () => {
  const help = 'install it, or name it in `requires`';
  const start = () => {
    throw new Failure({ code: 'missing', message: 'api: `go` was not found', help });
  };
  await openPage({ start }, toEnvironment(WORKSPACE, 'dev', 'logs'));
  await fireEvent.click(await screen.findByTestId('start-dev'));
  const strip = await screen.findByTestId('refusal');
  expect(strip.querySelector('a[href$="/p/api"]')?.textContent).toBe('api');
  expect([...strip.querySelectorAll('code')].map((code) => code.textContent)).toEqual([
    'go',
    'requires',
    `forge -C ${WORKSPACE} check`,
  ]);
  expect(await screen.findByTestId('log')).toBeTruthy();
});

test('a start that failed says who, offers to try again, and what to type', async () => {
  const failed = notice('n1', {
    kind: 'start_failed',
    process: null,
    summary: 'dev is not ready',
    body: 'api did not become ready within 5 min',
  });
  const { carrier } = await openPage({ notices: () => ({ notices: [failed] }), start: 'later' });
  const strip = await screen.findByTestId('notice-n1');
  expect(strip.querySelector('a[href$="/p/api"]')?.textContent).toBe('api');
  expect(strip.textContent).toContain(`forge -C ${WORKSPACE} logs dev/api -n 50`);
  await fireEvent.click(within(strip).getByText('Try again'));
  expect(carrier.asked('start')).toMatchObject([{ names: ['dev'], on_conflict: 'fail' }]);
  await waitFor(() => expect(within(strip).getByText('Try again').hasAttribute('disabled')).toBe(true));
});

test('a countdown stands once in a notice', async () => {
  const crash = notice('n1', {
    body: 'exit 1: no such key\nRestarts in 4 min',
    // By the supervisor's clock.
    until: '2026-11-21T10:01:20.000Z',
  });
  await openPage({ notices: () => ({ notices: [crash] }) });
  const strip = await screen.findByTestId('crash-n1');
  expect(strip.textContent).toMatch(/restarts in 1m \d+s/);
  expect(strip.textContent).not.toContain('Restarts in');
});

test('a process that has been quiet for long still tells what happened to it', async () => {
  const event = { time: '2026-11-21T09:00:00.000Z', process: 'web', level: 'info', title: 'stopped', text: '' };
  const details = {
    target: { environment: 'dev', process: 'web' },
    command: 'npm run dev',
    cwd: '/home/me/shop',
    variables: [],
    depends_on: [],
    needed_by: [],
    health_check: null,
    health_history: [],
    health_checks: [],
    log_folder: '/logs',
  };
  const { carrier } = await openPage(
    { events: () => ({ events: [event] }), inspect: () => details },
    toProcess(WORKSPACE, 'dev', 'web'),
  );
  await waitFor(() => expect(screen.getByRole('listitem').textContent).toContain('stopped'));
  expect(carrier.asked('events')).toEqual([{ workspace: WORKSPACE, environment: 'dev', process: 'web', limit: 8 }]);
});

test('where there is a dialogue for folders, it opens at once, and ours only for what went wrong', async () => {
  const picked = [null, '/home/me/new'];
  const host = { ...webHost, picksFolders: true, pickFolder: () => Promise.resolve(picked.shift() ?? null) };
  const { carrier } = await openPage(
    {
      workspaces: () => ({ workspaces: [] }),
      subscribe: () => ({ environments: [] }),
      'workspaces.add': () => {
        throw new Failure({ code: 'no_workspace', message: 'no configuration' });
      },
    },
    '#/',
    host,
  );
  await fireEvent.click(await screen.findByText('Choose a folder'));
  await waitFor(() => expect(picked).toHaveLength(1));
  expect(screen.queryByRole('dialog')).toBe(null);
  await fireEvent.click(await screen.findByText('Choose a folder'));
  await screen.findByText('Write an example');
  expect(screen.getByTestId<HTMLInputElement>('workspace-path').value).toBe('/home/me/new');
  expect(carrier.asked('workspaces.add')).toEqual([{ path: '/home/me/new', create: false }]);
});

test('the workspace’s page starts and stops its environments', async () => {
  const { carrier } = await openPage({ stop: 'later' }, `#/w/${encodeURIComponent(WORKSPACE)}`);
  const main = within(screen.getByRole('main'));
  await fireEvent.click(await main.findByTestId('stop-dev'));
  expect(carrier.asked('stop')).toEqual([{ workspace: WORKSPACE, names: ['dev'], all: false }]);
  await main.findByText('stopping …');
});

test('nothing happened and nothing listens: the page says what to do next', async () => {
  const { carrier } = await openPage({ start: 'later' }, toEnvironment(WORKSPACE, 'dev', 'events'));
  await fireEvent.click(await screen.findByText('Start dev'));
  expect(carrier.asked('start')).toHaveLength(1);
  location.hash = '#/ports';
  await fireEvent.click(await screen.findByText('Go to shop / dev'));
  expect(location.hash).toBe(toEnvironment(WORKSPACE, 'dev'));
});

test('a check of health that a one-shot lacks is not missed', async () => {
  const migrate = processStatus('migrate', { status: 'exited', one_shot: true, pid: null });
  await openPage(
    {
      subscribe: () => ({ environments: [status('dev', [migrate])] }),
      inspect: () => ({ health_check: null, health_history: [], health_checks: [], variables: [] }),
    },
    toProcess(WORKSPACE, 'dev', 'migrate', 'health'),
  );
  await screen.findByText(/runs to its end and is ready when it exits with 0/);
});

const commands = (element: HTMLElement) => [...element.querySelectorAll('code')].map((code) => code.textContent);

test('a configuration that cannot be used comes with what to type about it', async () => {
  const problem = { code: 'configuration', message: 'no such key', help: null, details: null } as const;
  await openPage({ workspaces: () => ({ workspaces: [workspace([summary('dev')], { problem })] }) });
  const strip = await screen.findByTestId('problem');
  expect(commands(strip)).toEqual([`${WORKSPACE}/.forge/processes.yml`, `forge -C ${WORKSPACE} check`]);
});

test('what does not stop can be stopped from a terminal, also beside the notice of a start that failed', async () => {
  const failed = notice('n1', { kind: 'start_failed', process: null, summary: 'dev is not ready', body: 'why' });
  await openPage({
    notices: () => ({ notices: [failed] }),
    subscribe: () => ({ environments: [status('dev', [processStatus('web')])] }),
    stop: () => {
      throw new Failure({ code: 'survivors', message: 'still alive' });
    },
  });
  await fireEvent.click(await screen.findByTestId('stop-web'));
  expect(commands(await screen.findByTestId('refusal'))).toEqual([`forge -C ${WORKSPACE} stop dev/web`]);
});

test('a lost connection comes with the command that says why', async () => {
  const { carrier } = await openPage({});
  await screen.findByTestId('process-web');
  carrier.hangUp();
  const bar = await screen.findByText('Forge does not answer.');
  expect(bar.closest('[role="status"]')?.textContent).toContain('forge doctor');
});

test('where Forge itself holds the port, what it runs is stopped first, and nothing is killed', async () => {
  const service = { workspace: '/home/me/other', environment: 'dev', process: 'api' };
  const conflict = { process: 'web', port: 3000, pid: 7, holder: 'dev/api of /home/me/other (node, PID 7)', service };
  let held = true;
  const { carrier } = await openPage(
    {
      start: () => {
        const details = { conflicts: [{ ...conflict, next: null }] };
        if (held) throw new Failure({ code: 'port_conflict', message: 'port 3000 is in use', details });
        return { ticket: 1 };
      },
      stop: () => {
        held = false;
        return { stopped: [], survivors: [] };
      },
    },
    `#/w/${encodeURIComponent(WORKSPACE)}`,
  );
  await fireEvent.click(await within(screen.getByRole('main')).findByTestId('start-dev'));
  const strip = await screen.findByTestId('refusal');
  expect(within(strip).queryByText(/other port/), 'there is none').toBe(null);
  await fireEvent.click(within(strip).getByText('Stop dev/api and start'));
  const dialog = screen.getByRole('dialog', { name: 'Stop dev/api?' });
  expect(dialog.textContent).not.toContain('killed');
  await fireEvent.click(within(dialog).getByText('Stop it and start'));
  await waitFor(() => expect(carrier.asked('start')).toHaveLength(2));
  expect(carrier.asked('stop')).toEqual([{ workspace: '/home/me/other', names: ['dev/api'], all: false }]);
  expect(carrier.asked('start')[1]).toMatchObject({ names: ['dev'], on_conflict: 'fail' });
});

test('an address that does not open says why, and can be copied', async () => {
  const why = ['there is no browser'];
  const openUrl = () => (why[0] ? Promise.reject(why.pop()) : Promise.resolve());
  const web = processStatus('web', { url: 'http://localhost:3000/', ports: [3000] });
  await openPage({ subscribe: () => ({ environments: [status('dev', [web])] }) }, '#/ports', { ...webHost, openUrl });
  await fireEvent.click(await screen.findByRole('link', { name: '3000' }));
  const strip = await screen.findByRole('region', { name: 'Could not open localhost:3000' });
  expect(within(strip).getByRole('alert').textContent).toContain('there is no browser');
  within(strip).getByRole('button', { name: 'Copy address: http://localhost:3000/' });
  await fireEvent.click(screen.getByRole('link', { name: '3000' }));
  await waitFor(() => expect(screen.queryByTestId('refusal')).toBe(null));
});

test('what could not be opened is not started by trying again', async () => {
  const failed = notice('n1', { kind: 'start_failed', process: null, summary: 'dev is not ready', body: 'why' });
  const url = 'http://localhost:3000/';
  const { carrier } = await openPage(
    {
      notices: () => ({ notices: [failed] }),
      subscribe: () => ({ environments: [status('dev', [processStatus('web')], { url })] }),
      start: 'later',
    },
    undefined,
    { ...webHost, openUrl: () => Promise.reject(new Error('there is no browser')) },
  );
  await fireEvent.click(await screen.findByTitle(`Open ${url}`));
  await screen.findByText('there is no browser');
  await fireEvent.click(within(screen.getByTestId('notice-n1')).getByText('Try again'));
  expect(carrier.asked('start')).toMatchObject([{ names: ['dev'] }]);
});

test('a notice that is clicked again is in sight again', async () => {
  const scrolled: Element[] = [];
  Element.prototype.scrollIntoView = function () {
    scrolled.push(this);
  };
  const hash = toEnvironment(WORKSPACE, 'dev', 'overview', { notice: 'n1' });
  const { router } = await openPage({ notices: () => ({ notices: [notice('n1'), notice('n2')] }) }, hash);
  const strip = await screen.findByTestId('crash-n1');
  await waitFor(() => expect(scrolled).toContain(strip));
  scrolled.length = 0;
  router.go(hash);
  await tick();
  expect(scrolled).toEqual([strip]);
});

test('the key of the part that one looks at moves nothing', async () => {
  const { router } = await openPage({}, toEnvironment(WORKSPACE, 'dev', 'events'));
  await screen.findByTestId('environment-dev');
  const { route } = router;
  await fireEvent.keyDown(window, { key: 'g', code: 'KeyG' });
  await fireEvent.keyDown(window, { key: 'e', code: 'KeyE' });
  expect(router.route).toBe(route);
});

test('a file that no program opens is not passed over in silence', async () => {
  const host = { ...webHost, picksFolders: true, openPath: () => Promise.resolve(false) };
  await openPage(
    { 'workspaces.commands': () => ({ hash: 'h', trusted: true, commands: [] }) },
    '#/w/%2Fhome%2Fme%2Fshop',
    host,
  );
  await fireEvent.click(await screen.findByText('Open in editor'));
  expect((await screen.findByRole('alert')).textContent).toContain('No program opens it');
});

test('why a start from a process’s page was refused stands there', async () => {
  const conflict = notice('n1', {
    kind: 'port_conflict',
    process: null,
    summary: 'port 3000 is in use',
    body: 'by node',
  });
  const crash = notice('n2', { kind: 'alert', process: null, summary: 'a hog' });
  await openPage({ notices: () => ({ notices: [conflict, crash] }) }, toProcess(WORKSPACE, 'dev', 'api'));
  await screen.findByText('port 3000 is in use');
  expect(screen.queryByText('a hog')).toBe(null);
});
