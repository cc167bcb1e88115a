import type { Cost, Series } from '../api/generated';

/** What the supervisor keeps, and so do we: one sample a second for a quarter of an hour. */
export const SAMPLES = 900;

/** The samples of one process, oldest first. All columns are equally long. */
export interface Columns {
  times: number[];
  cpu: (number | null)[];
  memory: (number | null)[];
}

const empty = (): Columns => ({ times: [], cpu: [], memory: [] });

/** What the processes of one environment cost over time. The columns change in place: `version` says when. */
export class History {
  version = $state(0);
  /** The ring of the supervisor was read: there is a past, not only what was seen live. */
  loaded = $state(false);
  readonly #columns = new Map<string, Columns>();

  /** Read within an effect or a template, it follows. */
  of(process: string): Columns {
    void this.version;
    return this.#columns.get(process) ?? empty();
  }

  names(): string[] {
    void this.version;
    return [...this.#columns.keys()];
  }

  /** The newest moment of which there are samples; 0: none. */
  get last(): number {
    let last = 0;
    for (const columns of this.#columns.values()) last = Math.max(last, columns.times.at(-1) ?? 0);
    return last;
  }

  append(time: number, costs: Cost[]): void {
    for (const cost of costs) this.#push(cost.process, time, cost.cpu_percent, cost.memory_bytes);
    this.version += 1;
  }

  /** The supervisor's own record is the better one: it replaces what was seen live. */
  load(series: Series[]): void {
    for (const one of series) {
      const columns = this.#columns.get(one.process);
      const newest = one.times_ms.at(-1) ?? 0;
      const later = columns ? columns.times.findIndex((time) => time > newest) : -1;
      const rest = columns && later >= 0 ? slice(columns, later) : empty();
      this.#columns.set(one.process, {
        times: [...one.times_ms, ...rest.times].slice(-SAMPLES),
        cpu: [...one.cpu_percent, ...rest.cpu].slice(-SAMPLES),
        memory: [...one.memory_bytes, ...rest.memory].slice(-SAMPLES),
      });
    }
    this.loaded = true;
    this.version += 1;
  }

  #push(process: string, time: number, cpu: number | null, memory: number | null): void {
    let columns = this.#columns.get(process);
    if (!columns) this.#columns.set(process, (columns = empty()));
    if ((columns.times.at(-1) ?? 0) >= time) return;
    columns.times.push(time);
    columns.cpu.push(cpu);
    columns.memory.push(memory);
    if (columns.times.length <= SAMPLES) return;
    columns.times.shift();
    columns.cpu.shift();
    columns.memory.shift();
  }
}

function slice(columns: Columns, from: number): Columns {
  return {
    times: columns.times.slice(from),
    cpu: columns.cpu.slice(from),
    memory: columns.memory.slice(from),
  };
}
