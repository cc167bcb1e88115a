import type { Connection } from '../api/connection';
import type { Failure } from '../api/failure';
import type { LogLine } from '../api/generated';
import { clock } from '../forge/clock.svelte';
import { LogBuffer } from './buffer';
import { Join } from './join';
import { queryOf, type Filter } from './query';
import { Reader } from './reader';

/** Lines that are kept in the page. */
const CAPACITY = 20_000;
/** More than one answer holds: room that must be left so that nothing goes that is being read. */
const MARGIN = 4_000;

/** The lines that one view shows, as they come. The buffer changes in place, once a frame: `version` says when. */
export class Log {
  readonly buffer = new LogBuffer(CAPACITY);
  version = $state(0);
  /** The newest line stays in sight. */
  following = $state(true);
  /** Lines that came since it was last followed. */
  unseen = $state(0);
  /** The end was reached once: what is not there now does not exist. */
  loaded = $state(false);
  failure = $state.raw<Failure | null>(null);
  /** The first line in sight, while it is not followed: it must not go. */
  anchor = 0;
  readonly #connect: () => Promise<Connection>;
  #reader: Reader | null = null;
  #arrived: LogLine[] = [];
  #atEnd = false;
  #frame = 0;

  constructor(connect: () => Promise<Connection>) {
    this.#connect = connect;
  }

  /** Shows something else from now on. Returns how to end it. */
  read(filter: Filter): () => void {
    this.buffer.clear();
    this.#arrived = [];
    [this.loaded, this.failure, this.unseen, this.anchor, this.following] = [false, null, 0, 0, true];
    this.version += 1;
    const join = new Join();
    const reader = new Reader(this.#connect, queryOf(filter), {
      lines: (lines, atEnd) => this.#take(join.next(lines), atEnd),
      skipped: () => join.skip(),
      failed: (failure) => (this.failure = failure),
      hasRoom: () => this.#hasRoom(),
      now: () => clock.now,
    });
    this.#reader = reader;
    reader.go();
    const onvisible = () => reader.go();
    document.addEventListener('visibilitychange', onvisible);
    return () => {
      document.removeEventListener('visibilitychange', onvisible);
      reader.stop();
      cancelAnimationFrame(this.#frame);
      this.#frame = 0;
    };
  }

  follow(): void {
    this.following = true;
    this.unseen = 0;
    this.#reader?.go();
  }

  pause(): void {
    this.following = false;
  }

  /** Nothing is read that nobody sees, nor what would push away what somebody reads. */
  #hasRoom(): boolean {
    if (document.hidden) return false;
    if (this.following) return true;
    return this.buffer.next + this.#arrived.length + MARGIN - CAPACITY < Math.max(this.anchor, MARGIN);
  }

  /** Rendered once a frame, however many answers came in it. */
  #take(lines: LogLine[], atEnd: boolean): void {
    for (const line of lines) this.#arrived.push(line);
    this.#atEnd = atEnd;
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#show());
  }

  #show(): void {
    this.#frame = 0;
    const arrived = this.#arrived;
    this.#arrived = [];
    // What would be pushed out at once need not go in.
    this.buffer.append(arrived.length > CAPACITY ? arrived.slice(-CAPACITY) : arrived);
    if (!this.following) this.unseen += arrived.length;
    if (this.#atEnd) this.loaded = true;
    this.version += 1;
  }
}
