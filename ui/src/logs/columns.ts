/** Cells before the text beside the time and the name: level, fold. */
const GUTTER = 3;
/** Pixels at the edges of a row, and of the mark that folds. */
const EDGES = 52;
/** The longest name that is shown whole. */
const LONGEST_NAME = 16;

/** Cells of the column with the names. */
export function nameWidth(processes: readonly string[]): number {
  return Math.min(LONGEST_NAME, Math.max(4, ...processes.map((name) => name.length))) + 2;
}

/** Cells of text that fit into a row. */
export function columnsFor(width: number, cell: number, names: number, stamps: number): number {
  return Math.max(20, Math.floor((width - EDGES) / cell) - GUTTER - names - stamps);
}
