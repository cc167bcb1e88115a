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
  loaded = false;
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

  /** The supervisor's own record of a time is the better one; what is known from before and after it stays. */
  load(series: Series[]): void {
    for (const one of series) {
      const own = this.#columns.get(one.process) ?? empty();
      const [first, last] = [one.times_ms[0] ?? Infinity, one.times_ms.at(-1) ?? Infinity];
      const before = own.times.filter((time) => time < first).length;
      const after = own.times.findIndex((time) => time > last);
      const end = after < 0 ? own.times.length : after;
      const join = <T>(mine: T[], theirs: T[]) =>
        [...mine.slice(0, before), ...theirs, ...mine.slice(end)].slice(-SAMPLES);
      this.#columns.set(one.process, {
        times: join(own.times, one.times_ms),
        cpu: join(own.cpu, one.cpu_percent),
        memory: join(own.memory, one.memory_bytes),
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
