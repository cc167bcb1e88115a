import { expect, test, vi } from 'vitest';

import { Connection } from './connection';
import { Failure } from './failure';
import { FakeCarrier } from './fake';

test('the first request is hello', async () => {
  const carrier = new FakeCarrier();
  const connection = await Connection.open(carrier);
  expect(carrier.sent[0]).toMatchObject({ jsonrpc: '2.0', method: 'hello', params: { protocol: 1 } });
  expect(connection.hello.pid).toBe(1);
});

test('answers find their requests, whatever their order', async () => {
  const carrier = new FakeCarrier({ workspaces: 'later', notices: () => ({ notices: [] }) });
  const connection = await Connection.open(carrier);
  const workspaces = connection.call('workspaces', {});
  await expect(connection.call('notices', {})).resolves.toEqual({ notices: [] });
  carrier.reply('workspaces', { workspaces: [] });
  await expect(workspaces).resolves.toEqual({ workspaces: [] });
});

test('an error keeps code, help and details', async () => {
  const error = {
    code: 'port_conflict',
    message: 'port 3000 is in use',
    help: 'stop it',
    details: { conflicts: [] },
  } as const;
  const carrier = new FakeCarrier({
    stop: () => {
      throw new Failure({ ...error, details: { conflicts: [] } });
    },
  });
  const connection = await Connection.open(carrier);
  const refused = connection.call('stop', { workspace: '/', names: [], all: false });
  await expect(refused).rejects.toMatchObject({ code: 'port_conflict', help: 'stop it', details: { conflicts: [] } });
});

test('who waits when the connection ends is told so, and so is who asks later', async () => {
  const carrier = new FakeCarrier({ workspaces: 'later' });
  const connection = await Connection.open(carrier);
  const onclose = vi.fn();
  connection.onclose = onclose;
  const waiting = connection.call('workspaces', {});
  carrier.hangUp();
  await expect(waiting).rejects.toMatchObject({ code: 'no_supervisor' });
  await expect(connection.call('workspaces', {})).rejects.toMatchObject({ code: 'no_supervisor' });
  expect(onclose).toHaveBeenCalledOnce();
});
