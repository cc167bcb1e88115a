import type { Carrier, Pipe } from './carrier';
import { Failure } from './failure';
import type { Error as ApiError, HelloAnswer, Operations, Update } from './generated';

export const PROTOCOL = 1;
const VERSION = '0.1.0';

export type Method = keyof Operations;
export type Params<M extends Method> = Operations[M]['params'];
export type Answer<M extends Method> = Operations[M]['answer'];

interface Waiting {
  resolve(answer: unknown): void;
  reject(failure: Failure): void;
}

/** A message as it comes in, whichever kind it is. */
interface Incoming {
  id?: number;
  method?: string;
  params?: Update;
  result?: unknown;
  error?: { message: string; data?: ApiError };
}

/** A connection that has said hello: typed requests out, updates in. */
export class Connection {
  /** What the supervisor answered to hello. */
  hello!: HelloAnswer;
  onupdate: (update: Update) => void = () => {};
  onclose: () => void = () => {};
  #pipe: Pipe | null = null;
  #next = 1;
  readonly #waiting = new Map<number, Waiting>();

  /** @throws {Refused} for a wrong token, anything else where trying again may help. */
  static async open(carrier: Carrier): Promise<Connection> {
    const connection = new Connection();
    connection.#pipe = await carrier.open({
      message: (message) => connection.#receive(message as Incoming),
      close: () => connection.#end(),
    });
    try {
      connection.hello = await connection.call('hello', { protocol: PROTOCOL, version: VERSION });
      return connection;
    } catch (thrown) {
      connection.close();
      throw thrown;
    }
  }

  /** @throws {Failure} the supervisor's error, or `no_supervisor` when the connection ended first. */
  call<M extends Method>(method: M, params: Params<M>): Promise<Answer<M>> {
    return new Promise((resolve, reject) => {
      if (!this.#pipe) return reject(lost());
      const id = this.#next++;
      this.#waiting.set(id, { resolve: resolve as Waiting['resolve'], reject });
      this.#pipe.send({ jsonrpc: '2.0', id, method, params });
    });
  }

  close(): void {
    this.onclose = () => {};
    this.#pipe?.close();
    this.#end();
  }

  #receive(message: Incoming): void {
    if (message.method === 'update' && message.params) return this.onupdate(message.params);
    if (typeof message.id !== 'number') return;
    const waiting = this.#waiting.get(message.id);
    if (!waiting) return;
    this.#waiting.delete(message.id);
    const { error } = message;
    if (error) waiting.reject(new Failure(error.data ?? { code: 'protocol', message: error.message }));
    else waiting.resolve(message.result);
  }

  #end(): void {
    if (!this.#pipe) return;
    this.#pipe = null;
    for (const waiting of this.#waiting.values()) waiting.reject(lost());
    this.#waiting.clear();
    this.onclose();
  }
}

function lost(): Failure {
  return new Failure({ code: 'no_supervisor', message: 'the connection to the supervisor was lost' });
}
