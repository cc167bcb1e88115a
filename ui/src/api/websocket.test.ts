import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { Refused } from './carrier';
import { WebSocketCarrier } from './websocket';

/** The server does not let it in; the browser does not say why. */
class ClosedSocket {
  onclose: () => void = () => {};

  constructor(_url: string, [, token = '']: string[]) {
    if (token.includes(' ')) throw new DOMException('no such subprotocol', 'SyntaxError');
    queueMicrotask(() => this.onclose());
  }
}

const fetched = vi.fn<typeof fetch>();
const nobody = { message: () => {}, close: () => {} };
const open = (token = 'secret') => new WebSocketCarrier('ws://127.0.0.1:4000/ws', token).open(nobody);

beforeEach(() => {
  vi.stubGlobal('WebSocket', ClosedSocket);
  vi.stubGlobal('fetch', fetched.mockReset());
});
afterEach(() => void vi.unstubAllGlobals());

test('a token that the server does not know is refused', async () => {
  fetched.mockResolvedValue(new Response('', { status: 401 }));
  await expect(open()).rejects.toBeInstanceOf(Refused);
  const [url, options] = fetched.mock.calls[0] ?? [];
  expect(url).toBe('http://127.0.0.1:4000/ws');
  expect(options?.headers).toEqual({ authorization: 'Bearer secret' });
});

/** The page itself is served to whoever asks, also when there is no place. */
const served = (status: number) => (url: unknown) =>
  Promise.resolve(new Response('', { status: String(url).endsWith('/ws') ? status : 200 }));

test.each([
  ['full: the token is right, it is only no upgrade', served(400)],
  ['full, and says so', served(503)],
  ['gone', () => Promise.reject(new TypeError('Failed to fetch'))],
])('a server that is %s may let us in later', async (_how, answer) => {
  fetched.mockImplementation(answer);
  const refusal = await open().catch((thrown: unknown) => thrown);
  expect(refusal).toBeInstanceOf(Error);
  expect(refusal).not.toBeInstanceOf(Refused);
});

test('what can be no token is refused before anybody is asked', async () => {
  await expect(open('two words')).rejects.toBeInstanceOf(Refused);
  expect(fetched).not.toHaveBeenCalled();
});
