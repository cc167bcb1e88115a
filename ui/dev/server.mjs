// A pretended supervisor: the interface with invented processes. `node dev/server.mjs --scene busy --port 5180`.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';

import { makeWorld } from './world.mjs';

const option = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : process.argv[at + 1];
};
const port = Number(option('port', '5180'));
const world = makeWorld(option('scene', 'busy'));
const dist = fileURLToPath(new URL('../dist', import.meta.url));
const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const policy = `default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self' ws://127.0.0.1:${port}; img-src 'self' data:; font-src 'self'; base-uri 'none'; form-action 'none'`;

const server = createServer((request, response) => {
  const path = new URL(request.url ?? '/', 'http://x').pathname;
  const file = join(dist, normalize(path === '/' ? '/index.html' : path));
  try {
    if (!file.startsWith(dist)) throw new Error('outside');
    const content = readFileSync(file);
    response.writeHead(200, {
      'content-type': types[extname(file)] ?? 'application/octet-stream',
      'content-security-policy': policy,
    });
    response.end(content);
  } catch {
    response.writeHead(404).end();
  }
});

const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'forge' });
server.on('upgrade', (request, socket, head) => {
  const shown = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((each) => each.trim());
  if (!shown.includes('dev')) return socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n');
  sockets.handleUpgrade(request, socket, head, (client) => converse(client));
});

function converse(client) {
  const tell = (update) =>
    client.readyState === 1 && client.send(JSON.stringify({ jsonrpc: '2.0', method: 'update', params: update }));
  let unsubscribe = () => {};
  client.on('message', async (data) => {
    const { id, method, params } = JSON.parse(String(data));
    if (method === 'subscribe') {
      unsubscribe();
      unsubscribe = world.subscribe(tell);
    } else if (method === 'unsubscribe') unsubscribe();
    let reply;
    try {
      reply = { result: await world.answer(method, params, tell) };
    } catch (error) {
      reply = {
        error: {
          code: -32000,
          message: error.message,
          data: { code: error.code ?? 'usage', message: error.message, ...error.more },
        },
      };
    }
    if (client.readyState === 1) client.send(JSON.stringify({ jsonrpc: '2.0', id, ...reply }));
  });
  client.on('close', () => unsubscribe());
}

server.listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}/#token=dev`));
