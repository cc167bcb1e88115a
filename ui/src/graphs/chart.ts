import type uPlot from 'uplot';

import type { Columns } from '../forge/series.svelte';
import { clockTime } from '../ui/format';

/** One line of a chart. */
export interface Line {
  name: string;
  /** Of the palette of processes. */
  colour: number;
  /** The palette is used up: what tells it from the one that has the colour already. */
  dashed: boolean;
  shown: boolean;
}

/** What is drawn of each sample. */
export type Figure = 'cpu' | 'memory';

/** Below this many seconds between samples a line goes on; above it there was nothing. */
const GAP = 5;

/** One time axis for all: uPlot wants seconds, and a column for each line. */
export function dataOf(
  lines: readonly Line[],
  columnsOf: (name: string) => Columns,
  figure: Figure,
): uPlot.AlignedData {
  const tables = lines.map((line) => {
    const columns = columnsOf(line.name);
    return [columns.times.map((time) => Math.round(time / 1000)), columns[figure]] as const;
  });
  const times = [...new Set(tables.flatMap(([own]) => own))].sort((a, b) => a - b);
  const at = new Map(times.map((time, index) => [time, index]));
  const values = tables.map(([own, column]) => {
    const row = new Array<number | null>(times.length).fill(null);
    own.forEach((time, index) => (row[at.get(time) ?? 0] = column[index] ?? null));
    return row;
  });
  return withGaps([times, ...values]);
}

/** A row of nothing where no sample is: nobody was there to measure. */
function withGaps(table: [number[], ...(number | null)[][]]): uPlot.AlignedData {
  const [times, ...values] = table;
  const gaps = times.flatMap((time, index) => (index > 0 && time - (times[index - 1] ?? 0) > GAP ? [index] : []));
  for (const index of gaps.reverse()) {
    times.splice(index, 0, (times[index - 1] ?? 0) + 1);
    for (const row of values) row.splice(index, 0, null);
  }
  return [times, ...values];
}

/** `14:30:15`, in the reader's own time zone. */
const timeOf = (seconds: number) => clockTime(new Date(seconds * 1000).toISOString());

const FONT = '11px ui-sans-serif, Inter, system-ui, sans-serif';

/** Colours and sizes from the page's style, so that light and dark are its affair. */
export function optionsOf(
  lines: readonly Line[],
  size: { width: number; height: number },
  look: { timeAxis: boolean; format: (value: number) => string; floor: number },
): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const axis: uPlot.Axis = { stroke: colour('--text-3'), font: FONT, ticks: { show: false } };
  const grid = { stroke: colour('--line'), width: 1 };
  return {
    ...size,
    legend: { show: false },
    cursor: { sync: { key: 'forge' }, points: { size: 5 }, y: false, drag: { x: false, y: false } },
    padding: [8, 16, look.timeAxis ? 0 : 8, 0],
    scales: { y: { range: (_, __, top) => [0, Math.max(look.floor, (top ?? 0) * 1.1)] } },
    axes: [
      {
        ...axis,
        size: look.timeAxis ? 28 : 4,
        grid,
        space: 80,
        values: (_, ticks) => ticks.map((tick) => (look.timeAxis ? timeOf(tick) : '')),
      },
      { ...axis, size: 64, grid, space: 36, values: (_, ticks) => ticks.map(look.format) },
    ],
    series: [
      {},
      ...lines.map((line) => ({
        label: line.name,
        show: line.shown,
        stroke: colour(`--process-${line.colour}`),
        width: 1.5,
        ...(line.dashed && { dash: [5, 3] }),
        points: { show: false },
      })),
    ],
  };
}
