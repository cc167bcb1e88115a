import { expect, test, vi } from 'vitest';

import { tauriHost } from './tauri';

const { invoke, listen } = vi.hoisted(() => ({ invoke: vi.fn(), listen: vi.fn() }));
vi.mock('@tauri-apps/api/core', () => ({ invoke }));
vi.mock('@tauri-apps/api/event', () => ({ listen }));

test('why a browser did not open is not swallowed', async () => {
  invoke.mockRejectedValue('there is no browser');
  await expect(tauriHost.openUrl('http://localhost:3000')).rejects.toBe('there is no browser');
  expect(invoke).toHaveBeenCalledWith('open_url', { url: 'http://localhost:3000' });
});

test('clicks outside are listened to once the shell says so', async () => {
  let answer = () => {};
  listen.mockReturnValue(new Promise<void>((resolve) => (answer = resolve)));
  const listening = vi.fn();
  const waiting = tauriHost.onNavigate(() => {}).then(listening);
  await Promise.resolve();
  expect(listening).not.toHaveBeenCalled();
  answer();
  await waiting;
  expect(listening).toHaveBeenCalledOnce();
});
