import type { Columns } from '../forge/series.svelte';

/** One line of a chart. */
export interface Line {
  name: string;
  /** Of the palette of processes. */
  colour: number;
  /** The palette is used up: what tells it from the one that has the colour already. */
  dashed: boolean;
  shown: boolean;
}

type Column = readonly (number | null)[];
type Row = (number | null)[];

/** Seconds between samples up to which a line goes on at least; beyond, there was nothing. */
const GAP = 5;

/** One time axis for all lines of all charts: in seconds, and where each line's samples stand on it. */
export interface Grid {
  times: number[];
  /** For each line, the place of its sample at each time; -1: none. */
  places: number[][];
}

/** `step`: seconds between two samples, as far as that was asked for. */
export function gridOf(columns: readonly { times: readonly number[] }[], step: number): Grid {
  const own = columns.map(({ times }) => times.map((time) => Math.round(time / 1000)));
  const known = [...new Set(own.flat())].sort((a, b) => a - b);
  const times = known.flatMap((time, index) => {
    const before = known[index - 1];
    // A row of nothing where no sample is: nobody was there to measure.
    return before !== undefined && time - before > Math.max(GAP, step * 2.5) ? [before + 1, time] : [time];
  });
  const at = new Map(times.map((time, index) => [time, index]));
  const places = own.map((mine) => {
    const row = new Array<number>(times.length).fill(-1);
    mine.forEach((time, index) => (row[at.get(time) ?? 0] = index));
    return row;
  });
  return { times, places };
}

/** The values of one figure on the grid. */
export function rowsOf(grid: Grid, columns: readonly Columns[], pick: (columns: Columns) => Column | null): Row[] {
  return columns.map((own, line) => {
    const column = pick(own);
    return (grid.places[line] ?? []).map((place) => (place < 0 ? null : (column?.[place] ?? null)));
  });
}

/** Each line on top of those before it; what is not shown takes no room. Where nothing was measured is nothing. */
export function stacked(rows: readonly Row[], lines: readonly Line[]): Row[] {
  const sums = new Array<number>(rows[0]?.length ?? 0).fill(0);
  return rows.map((row, line) =>
    row.map((value, at) => {
      if (value === null || lines[line]?.shown !== true) return null;
      sums[at] = (sums[at] ?? 0) + value;
      return sums[at] ?? 0;
    }),
  );
}

/** Whether any of them has ever been measured. */
export const isMeasured = (rows: readonly Row[]): boolean => rows.some((row) => row.some((value) => value !== null));

/**
 * Whose figures are shown of a moment, in milliseconds; `null`: of now, if anything has been measured lately. -1: there
 * are none.
 */
export function newestAt(times: readonly number[], moment: number | null, step: number, now: number): number {
  if (moment !== null) return indexAt(times, moment / 1000 + 0.5);
  const newest = times.at(-1);
  return newest !== undefined && now / 1000 - newest <= Math.max(GAP, step * 2.5) ? times.length - 1 : -1;
}

/** Where a moment is on the grid, in seconds: the newest sample up to it. */
export function indexAt(times: readonly number[], moment: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0) <= moment) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
