import type { Asking } from '../api/asking';
import { Failure } from '../api/failure';
import type { LogLine, LogsScanAnswer } from '../api/generated';
import { scan } from '../api/scan';
import { PATIENCE } from './budget';
import { findsOf, NOTHING_SOUGHT, queryOf, soughtBy, withinOf, type Filter, type Sought } from './filter';
import { Latest } from './latest';
import type { Log } from './log.svelte';

/** Hits among which one can go to and fro; more are only counted. */
export const HITS = 10_000;

/** Characters from which on a line may have been cut on its way: what is sought may stand in the rest. */
const PERHAPS_CUT = 1 << 20;

/** Milliseconds: a line that is written while one asks belongs to the answer. */
const SOON = 60_000;

/** The search within what is shown: marks, counts, and leads from hit to hit through all that is stored. */
export class Find {
  open = $state(false);
  sought = $state<Sought>({ ...NOTHING_SOUGHT });
  /** All that were found so far, also those that one can't go to. */
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
  /** Lines with a match that were stored when the search began, that came since, and that are among both. */
  #stored = 0;
  #came = 0;
  #twice = 0;
  /** Looks again at what came, where only the supervisor can tell. */
  #latest: Latest | null = null;
  /** Up to when it has looked at all: milliseconds since 1970. */
  #seen = 0;
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
    const { signal } = ended;
    this.done = false;
    this.#seen = Date.now();
    const wanted = { ...soughtBy(this.sought), invert: false, within: withinOf(filter) };
    const timer = setTimeout(() => void this.#scan(queryOf(filter, wanted), signal), PATIENCE);
    this.#latest = new Latest(async (since, until) => {
      if (this.failure !== null) return;
      const query = queryOf({ ...filter, since, until }, wanted);
      await this.#ask('latest', query, ({ hits }) => this.#arrive(hits), signal);
    }, signal);
    return () => {
      clearTimeout(timer);
      ended.abort();
    };
  }

  close(): void {
    this.open = false;
  }

  /** Lines that came just now. What an expression means is for the supervisor to say: browsers have another dialect. */
  arrived(lines: readonly LogLine[]): void {
    if (!this.open || this.sought.text === '' || this.failure !== null) return;
    this.#seen = Math.max(this.#seen, Date.parse(lines.at(-1)?.time ?? ''));
    const { expression } = this;
    const unclear = this.sought.regex || lines.some(({ text }) => text.length >= PERHAPS_CUT);
    if (unclear || expression === null) this.#latest?.came(lines);
    else this.#arrive(lines.filter(({ text }) => has(expression, text)).toReversed());
  }

  /** The end is in sight again after a time in which what came was not told. */
  returned(): void {
    if (!this.open || this.sought.text === '' || this.failure !== null) return;
    const until = Date.now() + SOON;
    this.#latest?.missed(this.#seen, until);
    this.#seen = Math.max(this.#seen, until - SOON);
  }

  /** To the next older hit, or newer one; from the newest on to the oldest, and the other way. */
  go(older: boolean): void {
    const total = this.#hits.length;
    this.#awaited = total === 0 && !this.done;
    if (total === 0) return;
    const from = this.place < 0 ? this.#before() - (older ? 1 : 0) : this.place;
    this.place = (from + (older ? 1 : -1) + total) % total;
    this.#reveal();
  }

  async #scan(query: ReturnType<typeof queryOf>, signal: AbortSignal): Promise<void> {
    try {
      await this.#ask('search', query, (answer) => this.#take(answer), signal);
    } catch (thrown) {
      if (!signal.aborted) this.failure = Failure.from(thrown);
    }
    if (!signal.aborted) this.done = true;
  }

  async #ask(
    slot: string,
    query: ReturnType<typeof queryOf>,
    take: (answer: LogsScanAnswer) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const connection = await this.#asking.open();
    await scan(connection, slot, query, { newest_first: true, max_hits: HITS }, take, signal);
  }

  #take(answer: LogsScanAnswer): void {
    const hits = answer.hits.filter((line) => this.#know(line));
    this.#hits = [...this.#hits, ...hits].slice(0, HITS);
    this.#stored = answer.matched;
    this.#twice += answer.hits.length - hits.length;
    this.#reckon();
    this.share = answer.total_bytes === 0 ? 1 : answer.scanned_bytes / answer.total_bytes;
    if (this.#awaited && this.#hits.length > 0) this.go(true);
  }

  /** Hits that came, newest first. */
  #arrive(lines: readonly LogLine[]): void {
    const hits = lines.filter((line) => this.#know(line));
    const all = [...hits, ...this.#hits];
    this.#hits = all.slice(0, HITS);
    for (const gone of all.slice(HITS)) this.#known.delete(keyOf(gone));
    this.#came += hits.length;
    this.#reckon();
    if (this.place < 0) return;
    this.place += hits.length;
    if (this.place >= this.#hits.length) this.place = -1;
  }

  #reckon(): void {
    this.count = this.#stored + this.#came - this.#twice;
  }

  #know(line: LogLine): boolean {
    const key = keyOf(line);
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
    [this.#stored, this.#came, this.#twice, this.#latest] = [0, 0, 0, null];
    this.#awaited = false;
    [this.count, this.place, this.done, this.share, this.failure] = [0, -1, true, 0, null];
  }
}

const keyOf = ({ environment, process, at }: LogLine) => `${environment}/${process}@${at}`;

/** A sticky expression begins where it ended; this one is asked about whole texts. */
function has(expression: RegExp, text: string): boolean {
  expression.lastIndex = 0;
  return expression.test(text);
}
