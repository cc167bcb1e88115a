// For tests: a supervisor that answers as it is told to.
import type { Carrier, Pipe, PipeEvents } from './carrier';
import type { Method } from './connection';
import { Failure } from './failure';
import type { Update } from './generated';

interface Request {
  id: number;
  method: Method;
  params: unknown;
}

/** What comes back: from a function at once, or by `reply`. */
export type Answers = Partial<Record<Method, ((params: never) => unknown) | 'later'>>;

const HELLO = { protocol: 1, version: '0.1.0', pid: 1, host: 'serve', background: false, held: 0 };

export class FakeCarrier implements Carrier {
  readonly sent: Request[] = [];
  readonly answers: Answers;
  #events: PipeEvents[] = [];

  constructor(answers: Answers = {}) {
    this.answers = { hello: () => HELLO, ...answers };
  }

  open(events: PipeEvents): Promise<Pipe> {
    this.#events.push(events);
    const pipe = {
      send: (message: object) => this.#take(events, message as Request),
      close: () => void (this.#events = this.#events.filter((other) => other !== events)),
    };
    return Promise.resolve(pipe);
  }

  /** The requests of one method, in order. */
  asked(method: Method): unknown[] {
    return this.sent.filter((request) => request.method === method).map((request) => request.params);
  }

  reply(method: Method, result: unknown): void {
    const request = this.sent.findLast((each) => each.method === method);
    for (const events of this.#events) events.message({ jsonrpc: '2.0', id: request?.id, result });
  }

  tell(update: Update): void {
    for (const events of this.#events) events.message({ jsonrpc: '2.0', method: 'update', params: update });
  }

  hangUp(): void {
    for (const events of this.#events.splice(0)) events.close();
  }

  #take(events: PipeEvents, request: Request): void {
    this.sent.push(request);
    const answer = this.answers[request.method];
    if (answer === 'later') return;
    queueMicrotask(() => {
      try {
        const result = answer ? answer(request.params as never) : {};
        events.message({ jsonrpc: '2.0', id: request.id, result });
      } catch (thrown) {
        const { code, message, help, details } = Failure.from(thrown);
        events.message({ jsonrpc: '2.0', id: request.id, error: { message, data: { code, message, help, details } } });
      }
    });
  }
}
