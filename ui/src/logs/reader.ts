import type { Connection } from '../api/connection';
import { Failure } from '../api/failure';
import type { LogQuery, LogsRead, LogsReadAnswer } from '../api/generated';
import { logsRead } from '../api/requests';
import { Budget } from './budget';

/** Bytes of text in one answer, about: some 2,000 lines. */
const PAGE = 256 << 10;
/** Pages in a row that did not reach the end, after which one who follows is too late. */
const BEHIND = 3;
/** Before a connection is tried again. */
const AGAIN = 1000;
/** So many lines at once are a flood: nobody reads each, and the next may wait until the page has drawn these. */
const FLOOD = 50;

export interface ReaderEvents {
  took(answer: LogsReadAnswer): void;
  /** It followed, and more comes than it can read. */
  late(): void;
  failed(failure: Failure): void;
  /** Milliseconds that are the page's before it is given more of a flood. */
  rest(): number;
  /** Whether there is room for more. If not, `go` has to be called when there is. */
  hasRoom(): boolean;
  /** Nobody reads what comes between; who does not follow gets every line. */
  follows(): boolean;
  /** All that will ever fit is written. */
  isOver(): boolean;
}

/**
 * Pulls lines from one place on for as long as somebody wants them. It has a connection of its own: closing that is
 * what ends a read that waits.
 */
export class Reader {
  readonly #connect: () => Promise<Connection>;
  readonly #query: LogQuery;
  readonly #events: ReaderEvents;
  #start: Pick<LogsRead, 'cursor' | 'anchor'>;
  #connection: Connection | null = null;
  #running = false;
  #stopped = false;
  #atEnd = false;
  /** It has read all that there will be. */
  #done = false;
  readonly #budget = new Budget();

  constructor(
    connect: () => Promise<Connection>,
    query: LogQuery,
    start: Pick<LogsRead, 'cursor' | 'anchor'>,
    events: ReaderEvents,
  ) {
    this.#connect = connect;
    this.#query = query;
    this.#start = start;
    this.#events = events;
  }

  /** Reads on, if it does not. */
  go(): void {
    if (this.#running || this.#stopped) return;
    this.#running = true;
    void this.#run().finally(() => (this.#running = false));
  }

  stop(): void {
    this.#stopped = true;
    this.#connection?.close();
    this.#connection = null;
  }

  async #run(): Promise<void> {
    let behind = 0;
    while (!this.#stopped && !this.#done && this.#events.hasRoom()) {
      try {
        this.#connection ??= await this.#open();
        const over = this.#events.isOver();
        const wait = this.#atEnd && !over;
        const more = {
          ...this.#start,
          max_bytes: PAGE,
          wait,
          partial: true,
          budget_ms: wait ? null : this.#budget.milliseconds,
        };
        const answer = await this.#connection.call('logs.read', logsRead(this.#query, more));
        if (this.#stopped) return;
        this.#start = { cursor: answer.next, anchor: null };
        this.#atEnd = answer.at_end;
        this.#done = over && answer.at_end;
        this.#budget.spent(answer);
        this.#events.took(answer);
        behind = answer.at_end || answer.lines.length === 0 ? 0 : behind + 1;
        if (behind >= BEHIND && this.#events.follows()) return this.#events.late();
        if (answer.lines.length >= FLOOD && this.#events.follows()) await sleep(this.#events.rest());
      } catch (thrown) {
        if (!(await this.#recover(thrown))) return;
      }
    }
  }

  async #open(): Promise<Connection> {
    const connection = await this.#connect();
    if (this.#stopped) connection.close();
    return connection;
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
    await sleep(AGAIN);
    return !this.#stopped;
  }
}

const sleep = (milliseconds: number) => new Promise((wake) => setTimeout(wake, milliseconds));
