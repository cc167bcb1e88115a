import type { Mark, ReadMetrics } from '../api/generated';
import { Failure } from '../api/failure';
import type { Forge } from '../forge/forge.svelte';
import { History } from '../forge/series.svelte';

/** A part of the time, in milliseconds since 1970. */
export interface Window {
  from: number;
  to: number;
}

/** Points that a chart has room for. */
const POINTS = 720;
/** Up to this many milliseconds ago there is a sample for every second, and it comes live. */
export const FINE = 900_000;

/** Milliseconds between two points that fit into a chart of so long a time. */
export const stepOf = (length: number): number => Math.max(1000, Math.ceil(length / POINTS / 1000) * 1000);

/** Milliseconds between the points of what is older: no more of it is kept. */
const COARSE = 10_000;

/** Milliseconds between two points that there are of a part of the time. */
export const stepIn = ({ from, to }: Window, now: number): number =>
  Math.max(stepOf(to - from), from < now - FINE ? COARSE : 0);

/** What was measured in some part of the time, and what happened in it. */
export class Past {
  history = $state.raw(new History(Infinity));
  /** Oldest first. */
  marks = $state.raw<Mark[]>([]);
  failure = $state.raw<Failure | null>(null);
  readonly #forge: Forge;
  readonly #place: Pick<ReadMetrics, 'workspace' | 'environment'>;
  #turn = 0;

  constructor(forge: Forge, place: Pick<ReadMetrics, 'workspace' | 'environment'>) {
    [this.#forge, this.#place] = [forge, place];
  }

  async load({ from, to }: Window): Promise<void> {
    const turn = ++this.#turn;
    const step = stepOf(to - from);
    const request = { ...this.#place, after_ms: Math.round(from), before_ms: Math.round(to), step_ms: step };
    try {
      const { series, machine, marks } = await this.#forge.call('metrics', request);
      if (turn !== this.#turn) return;
      const history = new History(Infinity);
      history.load(series, machine);
      [this.history, this.marks, this.failure] = [history, marks, null];
    } catch (thrown) {
      if (turn === this.#turn) this.failure = Failure.from(thrown);
    }
  }
}
