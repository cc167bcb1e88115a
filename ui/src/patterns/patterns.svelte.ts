import type { Asking } from '../api/asking';
import { Failure } from '../api/failure';
import type { LogPattern, LogsScanAnswer } from '../api/generated';
import { logQuery } from '../api/requests';
import { NOTHING, scan } from '../api/scan';

/** Parts of the time in which lines are counted. */
const BUCKETS = 48;

/** What the lines of some logs say again and again. */
export class Patterns {
  /** As far as it has come. */
  answer = $state.raw<LogsScanAnswer>(NOTHING);
  failure = $state.raw<Failure | null>(null);
  readonly #asking: Asking;

  constructor(asking: Asking) {
    this.#asking = asking;
  }

  /** Looks through all since a moment; `null`: all that is stored. Returns how to end it. */
  look(workspace: string, names: string[], since: string | null): () => void {
    const ended = new AbortController();
    [this.answer, this.failure] = [NOTHING, null];
    void this.#scan(workspace, names, since, ended.signal);
    return () => ended.abort();
  }

  async #scan(workspace: string, names: string[], since: string | null, signal: AbortSignal): Promise<void> {
    try {
      const connection = await this.#asking.open();
      const wanted = { patterns: true, counts: true, buckets: BUCKETS };
      const take = (answer: LogsScanAnswer) => (this.answer = answer);
      await scan(connection, 'patterns', logQuery(workspace, names, { since }), wanted, take, signal);
    } catch (thrown) {
      if (!signal.aborted) this.failure = Failure.from(thrown);
    }
  }
}

export const ORDERS = ['level', 'count', 'last', 'first'] as const;
export type Order = (typeof ORDERS)[number];

const LEVELS = ['error', 'warn', 'info', 'debug', 'trace'];
const rank = ({ level }: LogPattern) => LEVELS.indexOf(level ?? 'info');

/** Worst, most, or newest first. */
export function ordered(patterns: readonly LogPattern[], order: Order): LogPattern[] {
  const by: Record<Order, (a: LogPattern, b: LogPattern) => number> = {
    level: (a, b) => rank(a) - rank(b) || b.count - a.count,
    count: (a, b) => b.count - a.count,
    last: (a, b) => b.last.localeCompare(a.last),
    first: (a, b) => b.first.localeCompare(a.first),
  };
  return patterns.toSorted(by[order]);
}

/** Those with all words of a text, whatever their case. */
export function containing(patterns: readonly LogPattern[], text: string): LogPattern[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return patterns.filter(({ template, process }) => {
    const all = `${process} ${template}`.toLowerCase();
    return words.every((word) => all.includes(word));
  });
}
