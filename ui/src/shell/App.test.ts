// @vitest-environment jsdom
import { cleanup, configure, fireEvent, screen, waitFor } from '@testing-library/svelte';
import axe from 'axe-core';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { Failure } from '../api/failure';
import { notice, processStatus, status, summary, workspace, WORKSPACE } from '../forge/fixtures';
import { openPage, prepareBrowser } from './fixture';

// Machines are shared; what works is fast all the same.
configure({ asyncUtilTimeout: 15_000 });
afterEach(cleanup);

beforeEach(prepareBrowser);

test('the table shows each process, and a link to what it waits for', async () => {
  await openPage({});
  expect((await screen.findByTestId('process-api-status')).textContent).toBe('waiting');
  const row = screen.getByTestId('process-api');
  expect(row.querySelector('a[href$="/p/postgres"]')?.textContent).toBe('postgres');
  expect(screen.getByTestId('environment-dev').textContent).toContain('running');
});

test('an update shows at once', async () => {
  const { carrier } = await openPage({});
  await screen.findByTestId('process-web');
  carrier.tell({ update: 'process', workspace: WORKSPACE, environment: 'dev', process: processStatus('web') });
  await waitFor(() => expect(screen.getByTestId('process-web-status').textContent).toBe('ready'));
});

test('start asks for exactly that process', async () => {
  const { carrier } = await openPage({});
  await fireEvent.click(await screen.findByTestId('start-web'));
  expect(carrier.asked('start')).toEqual([
    { workspace: WORKSPACE, names: ['dev/web'], variables: null, trust: false, on_conflict: 'fail', holders: null },
  ]);
});

test('what cannot be done cannot be clicked', async () => {
  await openPage({});
  expect((await screen.findByTestId('stop-web')).hasAttribute('disabled')).toBe(true);
  expect(screen.getByTestId('start-postgres').hasAttribute('disabled')).toBe(true);
});

test('a port that is in use: who holds it is named before it is ended', async () => {
  const conflicts = [
    {
      process: 'web',
      port: 3000,
      pid: 8432,
      holder: 'node',
      command: 'node old.js',
      user: 'mia',
      started_at: '2026-11-21T09:00:00.000Z',
      next: 3001,
    },
  ];
  const { carrier } = await openPage({
    start: ({ on_conflict }: { on_conflict: string }) => {
      if (on_conflict === 'fail')
        throw new Failure({ code: 'port_conflict', message: 'port 3000 is in use by node', details: { conflicts } });
      return { ticket: 1 };
    },
  });
  await fireEvent.click(await screen.findByTestId('start-web'));
  await screen.findByText('Use port 3001');
  await fireEvent.click(screen.getByText('Stop it and start'));
  const dialog = screen.getByRole('dialog', { name: 'End what holds the port?' });
  for (const text of ['8432', 'node old.js', 'mia']) expect(dialog.textContent).toContain(text);
  expect(carrier.asked('start')).toHaveLength(1);
  await fireEvent.click(screen.getByText('End it and start'));
  expect(carrier.asked('start')[1]).toMatchObject({
    names: ['dev/web'],
    on_conflict: 'kill',
    holders: [{ pid: 8432, started_at: '2026-11-21T09:00:00.000Z' }],
  });
});

test('a notice of a port in use asks as well before anything is ended', async () => {
  const conflict = notice('n1', {
    kind: 'port_conflict',
    summary: 'Port 3000 is in use',
    body: 'web needs 3000: node (PID 8432), started 2 h ago: node old.js',
    actions: [{ id: 'kill', label: 'Stop it and start', shows: false }],
  });
  const { carrier } = await openPage({ notices: () => ({ notices: [conflict] }) });
  await fireEvent.click(await screen.findByText('Stop it and start'));
  const dialog = screen.getByRole('dialog', { name: 'End what holds the port?' });
  for (const text of ['3000', '8432', 'node old.js']) expect(dialog.textContent).toContain(text);
  expect(carrier.asked('notices.act')).toEqual([]);
  await fireEvent.click(screen.getByText('End it and start'));
  expect(carrier.asked('notices.act')).toEqual([{ id: 'n1', action: 'kill' }]);
});

test('an untrusted workspace shows its commands, and starts once they are confirmed', async () => {
  const commands = [{ environment: 'dev', process: 'web', purpose: 'command', command: 'npm run dev' }];
  const { carrier } = await openPage({
    workspaces: () => ({ workspaces: [workspace([summary('dev')], { trusted: false })] }),
    'workspaces.commands': () => ({ hash: 'h1', trusted: false, commands }),
  });
  await screen.findByText('npm run dev');
  await fireEvent.click(screen.getByText('Trust and start'));
  await waitFor(() => expect(carrier.asked('start')).toHaveLength(1));
  expect(carrier.asked('workspaces.trust')).toEqual([{ path: WORKSPACE, hash: 'h1' }]);
});

test('a crash stands on top, with its actions and a command to copy', async () => {
  const crash = notice('n1', { actions: [{ id: 'restart', label: 'Restart now', shows: false }] });
  const { carrier } = await openPage({ notices: () => ({ notices: [crash] }) });
  const strip = await screen.findByTestId('crash-n1');
  expect(strip.textContent).toContain(`forge -C ${WORKSPACE} logs dev/api -n 50`);
  await fireEvent.click(screen.getByText('Restart now'));
  expect(carrier.asked('notices.act')).toEqual([{ id: 'n1', action: 'restart' }]);
});

test('without a workspace the page says what to do', async () => {
  await openPage({ workspaces: () => ({ workspaces: [] }), subscribe: () => ({ environments: [] }) }, '#/');
  await screen.findByText('Choose a folder');
});

test('a folder without a configuration is offered an example', async () => {
  const { carrier } = await openPage(
    {
      workspaces: () => ({ workspaces: [] }),
      subscribe: () => ({ environments: [] }),
      'workspaces.add': ({ create }: { create: boolean }) => {
        if (!create) throw new Failure({ code: 'no_workspace', message: 'no configuration' });
        return workspace([]);
      },
    },
    '#/',
  );
  await fireEvent.click(await screen.findByText('Choose a folder'));
  await fireEvent.input(screen.getByTestId('workspace-path'), { target: { value: '/home/me/new' } });
  await fireEvent.click(screen.getByTestId('workspace-add'));
  await fireEvent.click(await screen.findByText('Write an example'));
  await waitFor(() => expect(carrier.asked('workspaces.add')[1]).toEqual({ path: '/home/me/new', create: true }));
});

test('the palette finds a process and goes there', async () => {
  await openPage({});
  await screen.findByTestId('process-api');
  await fireEvent.keyDown(window, { key: 'k', code: 'KeyK', ctrlKey: true });
  const field = await screen.findByRole('combobox');
  await fireEvent.input(field, { target: { value: 'postgres' } });
  await fireEvent.keyDown(field, { key: 'Enter' });
  expect(location.hash).toMatch(/\/p\/postgres$/);
});

test('the palette has an environment and a process of one name, and each part of a process', async () => {
  const dev = [processStatus('dev')];
  await openPage({ subscribe: () => ({ environments: [status('dev', dev)] }) });
  await screen.findByTestId('process-dev');
  await fireEvent.keyDown(window, { key: 'k', code: 'KeyK', ctrlKey: true });
  const field = await screen.findByRole('combobox');
  await fireEvent.input(field, { target: { value: 'restart dev' } });
  expect(screen.getAllByRole('option')).toHaveLength(2);
  await fireEvent.input(field, { target: { value: 'variables of dev' } });
  await fireEvent.keyDown(field, { key: 'Enter' });
  expect(location.hash).toMatch(/\/p\/dev\/env$/);
});

test('keys of the page find it on keyboards that shift them, and rest while a dialogue asks', async () => {
  const { router } = await openPage({});
  await screen.findByTestId('process-api');
  await fireEvent.keyDown(window, { key: '2', code: 'Digit2', shiftKey: true });
  await waitFor(() => expect(router.route).toMatchObject({ tab: 'logs' }));
  const dialog = document.body.appendChild(document.createElement('dialog'));
  dialog.open = true;
  await fireEvent.keyDown(window, { key: '1', code: 'Digit1' });
  expect(router.route).toMatchObject({ tab: 'logs' });
  dialog.remove();
});

test('what breaks a part of the page leaves the rest', async () => {
  const told = vi.spyOn(console, 'error').mockImplementation(() => {});
  const { router } = await openPage({
    subscribe: () => ({ environments: [status('dev', [processStatus('api'), processStatus('api')])] }),
  });
  expect((await screen.findByText('This part of the page broke')).textContent).toBeTruthy();
  expect(told).toHaveBeenCalled();
  router.go({ page: 'ports' });
  await waitFor(() => expect(screen.queryByText('This part of the page broke')).toBeNull());
  told.mockRestore();
});

test('axe finds no serious fault', async () => {
  const { container } = await openPage({ notices: () => ({ notices: [notice('n1')] }) });
  await screen.findByTestId('crash-n1');
  // Colours are not known here.
  const { violations } = await axe.run(container, {
    rules: { 'color-contrast': { enabled: false }, region: { enabled: false } },
  });
  expect(
    violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => [id, nodes[0]?.html]),
  ).toEqual([]);
});
