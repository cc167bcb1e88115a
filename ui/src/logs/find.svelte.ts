import type { Asking } from '../api/asking';
import { Failure } from '../api/failure';
import type { LogLine } from '../api/generated';
import { scan } from '../api/scan';
import { PATIENCE } from './budget';
import { findsOf, NOTHING_SOUGHT, queryOf, soughtBy, type Filter, type Sought } from './filter';
import type { Log } from './log.svelte';

/** Hits among which one can go to and fro; more are only counted. */
const HITS = 10_000;

/** The search within what is shown: marks, counts, and leads from hit to hit through all that is stored. */
export class Find {
  open = $state(false);
  sought = $state<Sought>({ ...NOTHING_SOUGHT });
  /** All that were found so far. */
  count = $state(0);
  /** From 0, the newest; -1: on none. */
  place = $state(-1);
  done = $state(true);
  /** Of what there is to look through. */
  share = $state(0);
  failure = $state.raw<Failure | null>(null);
  readonly expression = $derived(this.open ? findsOf(this.sought) : null);
  readonly #log: Log;
  readonly #asking: Asking;
  /** Newest first. */
  #hits: LogLine[] = [];
  #known = new Set<string>();
  /** By which lines that a filter keeps away are told from hits: a query has room for one expression. */
  #also: ((line: LogLine) => boolean) | null = null;
  /** Somebody wanted to go to the first hit before there was one. */
  #awaited = false;

  constructor(log: Log, asking: Asking) {
    this.#log = log;
    this.#asking = asking;
  }

  /** Looks through what a filter shows. Returns how to end it. */
  look(filter: Filter): () => void {
    this.#forget();
    if (!this.open || this.sought.text === '') return () => {};
    const ended = new AbortController();
    this.done = false;
    const { text, matchCase, regex } = this.sought;
    this.#also = alsoOf(filter);
    const query = queryOf(filter, { ...soughtBy({ text, matchCase, regex }), invert: false });
    const timer = setTimeout(() => void this.#scan(query, ended.signal), PATIENCE);
    return () => {
      clearTimeout(timer);
      ended.abort();
    };
  }

  close(): void {
    this.open = false;
  }

  /** Lines that came just now. */
  arrived(lines: readonly LogLine[]): void {
    const { expression } = this;
    if (expression === null) return;
    const fresh = lines.filter((line) => has(expression, line.text) && this.#know(line));
    if (fresh.length === 0) return;
    this.#hits = [...fresh.toReversed(), ...this.#hits].slice(0, HITS);
    this.count += fresh.length;
    if (this.place >= 0) this.place += fresh.length;
  }

  /** To the next older hit, or newer one; from the newest on to the oldest, and the other way. */
  go(older: boolean): void {
    const total = this.#hits.length;
    this.#awaited = total === 0 && !this.done;
    if (total === 0) return;
    const from = this.place < 0 ? this.#before() - 1 : this.place;
    this.place = (from + (older ? 1 : -1) + total) % total;
    this.#reveal();
  }

  async #scan(query: ReturnType<typeof queryOf>, signal: AbortSignal): Promise<void> {
    try {
      const connection = await this.#asking.open();
      const wanted = { newest_first: true, max_hits: HITS };
      await scan(connection, 'search', query, wanted, (answer) => this.#take(answer), signal);
    } catch (thrown) {
      if (!signal.aborted) this.failure = Failure.from(thrown);
    }
    if (!signal.aborted) this.done = true;
  }

  #take(answer: { hits: LogLine[]; matched: number; scanned_bytes: number; total_bytes: number }): void {
    const hits = answer.hits.filter((line) => (this.#also === null || this.#also(line)) && this.#know(line));
    this.#hits.push(...hits);
    this.count = this.#also === null ? Math.max(answer.matched, this.#hits.length) : this.#hits.length;
    this.share = answer.total_bytes === 0 ? 1 : answer.scanned_bytes / answer.total_bytes;
    if (this.#awaited && this.#hits.length > 0) this.go(true);
  }

  #know(line: LogLine): boolean {
    const key = `${line.environment}/${line.process}@${line.at}`;
    if (this.#known.has(key)) return false;
    this.#known.add(key);
    return true;
  }

  /** How many hits are newer than the end of what is in sight. */
  #before(): number {
    const { lines, top, height, following } = this.#log;
    if (following) return 0;
    const last = lines.at(lines.covering(lines.topOf(top.seq) + top.offset + height))?.line.time ?? '';
    const first = this.#hits.findIndex((line) => line.time <= last);
    return first < 0 ? this.#hits.length : first;
  }

  #reveal(): void {
    const line = this.#hits[this.place];
    if (line) void this.#log.reveal(line);
  }

  #forget(): void {
    this.#hits = [];
    this.#known.clear();
    this.#awaited = false;
    [this.count, this.place, this.done, this.share, this.failure] = [0, -1, true, 0, null];
  }
}

/** A sticky expression begins where it ended; this one is asked about whole texts. */
function has(expression: RegExp, text: string): boolean {
  expression.lastIndex = 0;
  return expression.test(text);
}

function alsoOf(filter: Filter): ((line: LogLine) => boolean) | null {
  const expression = findsOf(filter);
  if (expression === null) return null;
  return (line) => has(expression, line.text) !== filter.invert;
}
