import type { LogBuffer } from './buffer';

/** Pixels of a row of the screen. */
export const ROW = 20;
/** Rows beyond the edges that are drawn as well. */
const SPARE = 4;

/** As in `LogRow`: cells before the text, beside the process's name. */
const GUTTER = 17;
/** Pixels at the edges of a row. */
const EDGES = 36;

/** The longest name that is shown whole. */
const LONGEST_NAME = 16;

/** Cells of the column with the names. */
export function nameWidth(processes: readonly string[]): number {
  return Math.min(LONGEST_NAME, Math.max(4, ...processes.map((name) => name.length))) + 2;
}

/** Cells of text that fit into a row. */
export function columnsFor(width: number, cell: number, names: number): number {
  return Math.max(20, Math.floor((width - EDGES) / cell) - GUTTER - names);
}

/** The lines to be drawn for a part of the list: from `first` up to before `end`. */
export function windowOf(buffer: LogBuffer, top: number, height: number): { first: number; end: number } {
  if (buffer.length === 0) return { first: buffer.first, end: buffer.first };
  const firstRow = Math.max(0, Math.floor(top / ROW) - SPARE);
  const lastRow = Math.ceil((top + height) / ROW) + SPARE;
  return { first: buffer.covering(firstRow), end: Math.min(buffer.next, buffer.covering(lastRow) + 1) };
}
