import { SvelteSet } from 'svelte/reactivity';

import type { Target } from '../api/generated';

export type Act = 'start' | 'stop' | 'restart' | 'kill';

/**
 * A request on its way. The answer to a start comes before what it brings about: it is on its way until that was seen
 * too, so that nothing falls back to how it was for a moment.
 */
export class Pending {
  readonly act: Act;
  /** `ENVIRONMENT` or `ENVIRONMENT/PROCESS`, as the request had them. */
  readonly names: readonly string[];
  /** `ENVIRONMENT/PROCESS` that were heard of since. */
  readonly #seen = new SvelteSet<string>();
  /** Those that the answer promises. */
  #promised: string[] | null = null;

  constructor(act: Act, names: readonly string[]) {
    this.act = act;
    this.names = names;
  }

  see(name: string): void {
    this.#seen.add(name);
  }

  promise(targets: readonly Target[]): void {
    this.#promised = targets.map(({ environment, process }) => `${environment}/${process}`);
  }

  get over(): boolean {
    return this.#promised?.every((name) => this.#seen.has(name)) ?? false;
  }

  /** It is about that process, or all of its environment, and nothing was heard of it yet. */
  hides(environment: string, process: string): boolean {
    const name = `${environment}/${process}`;
    return (this.names.includes(name) || this.names.includes(environment)) && !this.#seen.has(name);
  }
}
