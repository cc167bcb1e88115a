import type { Columns, GaugeColumn } from '../forge/series.svelte';
import { bytes } from '../ui/format';

type Column = readonly (number | null)[];

/** One chart: a figure of every process. */
export interface Panel {
  /** For `data-testid`. */
  id: string;
  title: string;
  /** The least top of the scale, so that idle noise looks idle. */
  floor: number;
  /** It is one of those that are looked at first. */
  big: boolean;
  format: (value: number) => string;
  pick: (columns: Columns) => Column | null;
}

const percent = (value: number) => `${+value.toFixed(1)} %`;
const count = (value: number) => (Number.isInteger(value) ? value.toLocaleString('en') : value.toFixed(1));
const rate = (value: number) => `${bytes(value)}/s`;

const BUILT_IN: Panel[] = [
  { id: 'cpu', title: 'CPU', floor: 5, big: true, format: percent, pick: ({ cpu }) => cpu },
  { id: 'memory', title: 'Memory', floor: 8e6, big: true, format: bytes, pick: ({ memory }) => memory },
  { id: 'net-received', title: 'Network in', floor: 1e3, big: false, format: rate, pick: (all) => all.netReceived },
  { id: 'net-sent', title: 'Network out', floor: 1e3, big: false, format: rate, pick: (all) => all.netSent },
  { id: 'disk-read', title: 'Disk read', floor: 1e4, big: false, format: rate, pick: (all) => all.diskRead },
  { id: 'disk-written', title: 'Disk written', floor: 1e4, big: false, format: rate, pick: (all) => all.diskWritten },
  { id: 'threads', title: 'Threads', floor: 4, big: false, format: count, pick: ({ threads }) => threads },
  { id: 'files', title: 'Open files', floor: 8, big: false, format: count, pick: ({ files }) => files },
];

const FORMATS: Record<GaugeColumn['unit'], (value: number) => string> = { number: count, percent, bytes };

/** Where each point is the mean of some time, what it was at most in it. */
const PEAKS: Panel = {
  id: 'cpu-peaks',
  title: 'CPU at most',
  floor: 5,
  big: false,
  format: percent,
  pick: ({ cpuPeak }) => cpuPeak,
};

/**
 * All that there is to draw: what every process has, and then each name that one of them gives a figure. `means`: a point
 * stands for more than a second.
 */
export function panelsOf(columns: readonly Columns[], means: boolean): Panel[] {
  const gauges = new Map<string, GaugeColumn['unit']>();
  for (const own of columns) for (const [name, { unit }] of own.gauges) gauges.set(name, unit);
  const own = [...gauges].map(([name, unit]) => ({
    id: name,
    title: name,
    floor: unit === 'percent' ? 100 : 1,
    big: false,
    format: FORMATS[unit],
    pick: (all: Columns) => all.gauges.get(name)?.values ?? null,
  }));
  const [cpu, memory, ...rest] = BUILT_IN;
  return [cpu, memory, means ? PEAKS : undefined, ...rest, ...own].filter((panel) => panel !== undefined);
}
