import { Refused, type Carrier, type Pipe, type PipeEvents } from './carrier';

/** `forge serve --http`: one JSON-RPC message, or an array of them, in each text message. */
export class WebSocketCarrier implements Carrier {
  readonly #url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  open(events: PipeEvents): Promise<Pipe> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(this.#url, ['forge', this.#token]);
      let opened = false;
      let ended = false;
      socket.onopen = () => {
        opened = true;
        resolve({
          send: (message) => {
            if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
          },
          close: () => {
            ended = true;
            socket.close();
          },
        });
      };
      socket.onmessage = (event: MessageEvent<string>) => deliver(event.data, events);
      socket.onclose = () => {
        if (ended) return;
        ended = true;
        if (opened) events.close();
        else void whyNot().then(reject);
      };
    });
  }
}

function deliver(data: string, events: PipeEvents): void {
  const parsed: unknown = JSON.parse(data);
  if (Array.isArray(parsed)) for (const message of parsed) events.message(message);
  else events.message(parsed);
}

/**
 * A browser does not tell why an upgrade failed. The page itself needs no token: if it is served, it is the token
 * that was wrong, else the server is gone.
 */
async function whyNot(): Promise<Error> {
  try {
    const answer = await fetch('./', { method: 'HEAD', cache: 'no-store' });
    if (answer.ok) return new Refused('the token was refused');
  } catch {
    // No answer at all.
  }
  return new Error('the server does not answer');
}
