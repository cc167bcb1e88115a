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
      const socket = this.#socket();
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
        else void this.#whyNot().then(reject);
      };
    });
  }

  #socket(): WebSocket {
    try {
      return new WebSocket(this.#url, ['forge', this.#token]);
    } catch {
      // What cannot even be asked with is no token.
      throw new Refused('the token was refused');
    }
  }

  /**
   * A browser does not tell why an upgrade failed. The same address, asked for without one, looks at the token first:
   * any other answer than that it is wrong means that it is right, and that there is no place at the moment.
   */
  async #whyNot(): Promise<Error> {
    try {
      const headers = { authorization: `Bearer ${this.#token}` };
      const answer = await fetch(this.#url.replace(/^ws/, 'http'), { headers, cache: 'no-store' });
      if (answer.status === 401) return new Refused('the token was refused');
    } catch {
      // No answer at all.
    }
    return new Error('the server takes no connection now');
  }
}

function deliver(data: string, events: PipeEvents): void {
  const parsed: unknown = JSON.parse(data);
  if (Array.isArray(parsed)) for (const message of parsed) events.message(message);
  else events.message(parsed);
}
