import type { Cost, Gauge, GaugeUnit, Machine, MachineSeries, Series } from '../api/generated';

/** What the supervisor keeps second by second, and so do we: a quarter of an hour. */
export const SAMPLES = 900;

/** Milliseconds by which a sample may be late. One that is older by more is of a clock that was set back. */
const LATE = 5000;

/** What is measured of every process. */
export const FIGURES = [
  'cpu',
  'cpuPeak',
  'memory',
  'threads',
  'files',
  'diskRead',
  'diskWritten',
  'netReceived',
  'netSent',
] as const;
export type Figure = (typeof FIGURES)[number];

type Column = (number | null)[];

/** What one of the process's own figures was. */
export interface GaugeColumn {
  unit: GaugeUnit;
  values: Column;
}

/** The samples of one process, oldest first. All columns are equally long. */
export type Columns = Record<Figure, Column> & { times: number[]; gauges: Map<string, GaugeColumn> };

/** The whole machine: 100 is all cores. */
export interface MachineColumns {
  times: number[];
  cpu: Column;
  memory: Column;
}

const COSTS: Record<Figure, (cost: Cost) => number | null> = {
  cpu: (cost) => cost.cpu_percent,
  cpuPeak: (cost) => cost.cpu_percent,
  memory: (cost) => cost.memory_bytes,
  threads: (cost) => cost.threads,
  files: (cost) => cost.open_files,
  diskRead: (cost) => cost.disk_read_rate,
  diskWritten: (cost) => cost.disk_written_rate,
  netReceived: (cost) => cost.net_received_rate,
  netSent: (cost) => cost.net_sent_rate,
};

const SERIES: Record<Figure, (series: Series) => Column> = {
  cpu: (series) => series.cpu_percent,
  cpuPeak: (series) => series.cpu_percent_max,
  memory: (series) => series.memory_bytes,
  threads: (series) => series.threads,
  files: (series) => series.open_files,
  diskRead: (series) => series.disk_read_rate,
  diskWritten: (series) => series.disk_written_rate,
  netReceived: (series) => series.net_received_rate,
  netSent: (series) => series.net_sent_rate,
};

function empty(): Columns {
  const columns = Object.fromEntries(FIGURES.map((figure) => [figure, [] as Column])) as Record<Figure, Column>;
  return { ...columns, times: [], gauges: new Map() };
}

/** What the processes of one environment cost over time. The columns change in place: `version` says when. */
export class History {
  version = $state(0);
  /** The supervisor's record was read: there is a past, not only what was seen live. */
  loaded = false;
  /** The moment from which on something was missed: nobody listened for a while. */
  missedFrom: number | null = null;
  machine: MachineColumns = { times: [], cpu: [], memory: [] };
  readonly #columns = new Map<string, Columns>();
  readonly #capacity: number;

  constructor(capacity = SAMPLES) {
    this.#capacity = capacity;
  }

  /** Read within an effect or a template, it follows. */
  of(process: string): Columns {
    void this.version;
    return this.#columns.get(process) ?? empty();
  }

  /** The newest moment of which there are samples; 0: none. */
  get last(): number {
    let last = 0;
    for (const columns of this.#columns.values()) last = Math.max(last, columns.times.at(-1) ?? 0);
    return last;
  }

  /** Updates may have been missed, up to now. */
  interrupt(): void {
    this.missedFrom ??= this.last;
  }

  append(time: number, costs: Cost[], machine: Machine | null = null): void {
    if (time < this.last - LATE) this.#forget(time);
    for (const cost of costs) this.#push(time, cost);
    if (machine !== null && (this.machine.times.at(-1) ?? 0) < time) {
      this.machine.times.push(time);
      this.machine.cpu.push(machine.cpu_percent);
      this.machine.memory.push(machine.memory_used_bytes);
      if (this.machine.times.length > this.#capacity)
        for (const column of Object.values(this.machine)) (column as Column).shift();
    }
    this.version += 1;
  }

  /** The supervisor's own record of a time is the better one; what is known from before and after it stays. */
  load(series: Series[], machine: MachineSeries | null = null): void {
    for (const one of series) {
      const own = this.#columns.get(one.process) ?? empty();
      const join = joinAt(own.times, one.times_ms, this.#capacity);
      const next = { ...own, times: join(own.times, one.times_ms), gauges: joinGauges(own, one, join) };
      for (const figure of FIGURES) next[figure] = join(own[figure], SERIES[figure](one));
      this.#columns.set(one.process, next);
    }
    if (machine !== null) {
      const own = this.machine;
      const join = joinAt(own.times, machine.times_ms, this.#capacity);
      this.machine = {
        times: join(own.times, machine.times_ms),
        cpu: join(own.cpu, machine.cpu_percent),
        memory: join(own.memory, machine.memory_used_bytes),
      };
    }
    this.loaded = true;
    this.missedFrom = null;
    this.version += 1;
  }

  /** What was said to be of this moment or later: the clock was set back. */
  #forget(from: number): void {
    const cut = (columns: { times: number[] }, others: Column[]) => {
      const end = columns.times.findIndex((time) => time >= from);
      if (end >= 0) for (const column of [columns.times, ...others]) column.length = end;
    };
    for (const columns of this.#columns.values())
      cut(columns, [
        ...FIGURES.map((figure) => columns[figure]),
        ...[...columns.gauges.values()].map((one) => one.values),
      ]);
    cut(this.machine, [this.machine.cpu, this.machine.memory]);
  }

  #push(time: number, cost: Cost): void {
    let columns = this.#columns.get(cost.process);
    if (!columns) this.#columns.set(cost.process, (columns = empty()));
    if ((columns.times.at(-1) ?? 0) >= time) return;
    for (const gauge of cost.gauges) begin(columns, gauge);
    columns.times.push(time);
    for (const figure of FIGURES) columns[figure].push(COSTS[figure](cost));
    for (const [name, { values }] of columns.gauges)
      values.push(cost.gauges.find((gauge) => gauge.name === name)?.value ?? null);
    if (columns.times.length <= this.#capacity) return;
    columns.times.shift();
    for (const figure of FIGURES) columns[figure].shift();
    for (const { values } of columns.gauges.values()) values.shift();
  }
}

/** Of a figure that nobody knew before nothing is known so far. */
function begin(columns: Columns, { name, unit }: Gauge): void {
  if (!columns.gauges.has(name)) columns.gauges.set(name, { unit, values: columns.times.map(() => null) });
}

type Join = <T>(mine: readonly T[], theirs: readonly T[]) => T[];

function joinAt(mine: readonly number[], theirs: readonly number[], capacity: number): Join {
  const [first, last] = [theirs[0] ?? Infinity, theirs.at(-1) ?? Infinity];
  const before = mine.filter((time) => time < first).length;
  const after = mine.findIndex((time) => time > last);
  const end = after < 0 ? mine.length : after;
  return (own, other) => [...own.slice(0, before), ...other, ...own.slice(end)].slice(-capacity);
}

function joinGauges(own: Columns, one: Series, join: Join): Map<string, GaugeColumn> {
  const [mine, theirs] = [own.times.map(() => null), one.times_ms.map(() => null)];
  const joined = new Map<string, GaugeColumn>();
  for (const { name, unit, values } of one.gauges)
    joined.set(name, { unit, values: join<number | null>(own.gauges.get(name)?.values ?? mine, values) });
  for (const [name, { unit, values }] of own.gauges)
    if (!joined.has(name)) joined.set(name, { unit, values: join<number | null>(values, theirs) });
  return joined;
}
