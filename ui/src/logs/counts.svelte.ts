import type { Asking } from '../api/asking';
import type { Level, LevelCounts } from '../api/generated';
import { scan } from '../api/scan';
import { clock } from '../forge/clock.svelte';
import { queryOf, SETTLED, type Filter } from './filter';

/** Milliseconds between two looks at what has come. */
const PAUSE = 2000;

export type Counts = Record<Level, number>;

const none = (): Counts => ({ error: 0, warn: 0, info: 0, debug: 0, trace: 0 });

/** How many lines there are of each level, of all that the other conditions leave; kept up to date. */
export class LevelCounter {
  counts = $state.raw<Counts>(none());
  /** All that is stored was counted once. */
  done = $state(false);
  readonly #asking: Asking;

  constructor(asking: Asking) {
    this.#asking = asking;
  }

  /** Begins when `ready`: nobody waits longer for a line because lines are counted. Returns how to end it. */
  count(filter: Filter, ready: Promise<void>): () => void {
    const ended = new AbortController();
    [this.counts, this.done] = [none(), false];
    void ready.then(() => this.#run({ ...filter, levels: [] }, ended.signal));
    return () => ended.abort();
  }

  /** First all, then again and again what came since. */
  async #run(filter: Filter, signal: AbortSignal): Promise<void> {
    let [before, since]: [Counts, number | null] = [none(), filter.since];
    while (!signal.aborted) {
      const settled = clock.precise() - SETTLED;
      const until = Math.min(settled, filter.until ?? settled);
      let part = none();
      try {
        const connection = await this.#asking.open();
        const take = ({ counts }: { counts: LevelCounts[] }) => {
          part = sum(counts);
          this.counts = plus(before, part);
        };
        await scan(connection, 'counts', queryOf({ ...filter, since, until }), { counts: true }, take, signal);
        // Both ends belong to what was asked for.
        [before, since] = [plus(before, part), Math.max(until + 1, since ?? 0)];
        if (!signal.aborted) this.done = true;
        if (until === filter.until) return;
      } catch {
        // Without figures the chips do all the same; the next look may have them.
      }
      await pause(signal);
    }
  }
}

function sum(counts: readonly LevelCounts[]): Counts {
  const total = none();
  for (const one of counts) {
    for (const level of Object.keys(total) as Level[]) total[level] += one[level];
    // As the filter has it.
    total.info += one.unstated;
  }
  return total;
}

function plus(one: Counts, other: Counts): Counts {
  const total = { ...one };
  for (const level of Object.keys(total) as Level[]) total[level] += other[level];
  return total;
}

/** Waits, and while nobody looks for as long as that lasts. */
function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resume) => {
    const wake = () => {
      if (document.hidden && !signal.aborted) return;
      clearInterval(timer);
      signal.removeEventListener('abort', wake);
      resume();
    };
    const timer = setInterval(wake, PAUSE);
    signal.addEventListener('abort', wake);
  });
}
