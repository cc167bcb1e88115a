import type { Connection } from '../api/connection';
import { Failure } from '../api/failure';
import type { LogLine, LogQuery } from '../api/generated';
import { logsRead } from '../api/requests';

/** Bytes of text in one answer, about: some 2,000 lines. */
const PAGE = 256 << 10;
/** Behind the present by more milliseconds than this, reading on is no longer following. */
const TOO_LATE = 4000;
/** Pages in a row that did not reach the end before lateness is looked at. */
const BEHIND = 8;
/** Before a connection is tried again. */
const AGAIN = 1000;

export interface ReaderEvents {
  lines(lines: LogLine[], atEnd: boolean): void;
  /** It may be too far behind: what comes next is the newest again, some of which was there before. */
  skipped(): void;
  failed(failure: Failure): void;
  /** Whether there is room for more. If not, `go` has to be called when there is. */
  hasRoom(): boolean;
  /** The supervisor's time. */
  now(): number;
}

/**
 * Pulls the lines of one query for as long as somebody wants them. It has a connection of its own: closing that is
 * what ends a read that waits.
 */
export class Reader {
  readonly #connect: () => Promise<Connection>;
  readonly #query: LogQuery;
  readonly #events: ReaderEvents;
  #connection: Connection | null = null;
  #cursor: string | null = null;
  #running = false;
  #stopped = false;
  /** When it ran out of room. */
  #paused = 0;
  /** Since it began, or skipped, it has been at the end once. */
  #caughtUp = false;

  constructor(connect: () => Promise<Connection>, query: LogQuery, events: ReaderEvents) {
    this.#connect = connect;
    this.#query = query;
    this.#events = events;
  }

  /** Reads on, if it does not; after a long pause from the newest, not through all that was missed. */
  go(): void {
    if (this.#running || this.#stopped) return;
    if (this.#cursor !== null && Date.now() - this.#paused > TOO_LATE) this.#skip();
    this.#running = true;
    void this.#run().finally(() => {
      this.#running = false;
      this.#paused = Date.now();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#connection?.close();
    this.#connection = null;
  }

  async #run(): Promise<void> {
    let behind = 0;
    while (!this.#stopped && this.#events.hasRoom()) {
      try {
        this.#connection ??= await this.#open();
        const connection = this.#connection;
        // The first answer comes at once, so that an empty log is known to be one.
        const wait = this.#cursor !== null;
        const request = logsRead(this.#query, { cursor: this.#cursor, max_bytes: PAGE, wait });
        const answer = await connection.call('logs.read', request);
        if (this.#stopped) return;
        this.#cursor = answer.cursor;
        this.#caughtUp ||= answer.at_end;
        this.#events.lines(answer.lines, answer.at_end);
        behind = answer.at_end ? 0 : behind + 1;
        if (behind > BEHIND && this.#caughtUp && this.#isLate(answer.lines)) this.#skip();
      } catch (thrown) {
        if (!(await this.#recover(thrown))) return;
      }
    }
  }

  #skip(): void {
    this.#cursor = null;
    this.#caughtUp = false;
    this.#events.skipped();
  }

  async #open(): Promise<Connection> {
    const connection = await this.#connect();
    if (this.#stopped) connection.close();
    return connection;
  }

  #isLate(lines: LogLine[]): boolean {
    const last = lines.at(-1);
    return last !== undefined && this.#events.now() - Date.parse(last.time) > TOO_LATE;
  }

  /** Whether to try again: a lost connection comes back, a refused query is the reader's affair. */
  async #recover(thrown: unknown): Promise<boolean> {
    if (this.#stopped) return false;
    if (thrown instanceof Failure && thrown.code !== 'no_supervisor') {
      this.#events.failed(thrown);
      return false;
    }
    this.#connection?.close();
    this.#connection = null;
    await new Promise((wake) => setTimeout(wake, AGAIN));
    return !this.#stopped;
  }
}
