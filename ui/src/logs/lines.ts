import type { LogLine } from '../api/generated';
import { cellsOf } from './cells';

/** Characters of a line that are shown; what is longer says so. */
export const LONGEST = 4000;
/** Pixels of a row of text. */
export const ROW = 20;
/** Pixels beyond the edges that are drawn as well. */
const SPARE = 80;

/** A line as it is shown. */
export interface Row {
  /** Its place among the loaded ones: older lines have smaller numbers, also negative ones. Never used twice. */
  readonly seq: number;
  readonly line: LogLine;
  /** As shown: cut. */
  readonly text: string;
  /** Cells of a fixed-width font. */
  readonly cells: number;
  /** Pixels, once it was drawn and is not simply a row; 0: not known. */
  pixels: number;
}

/**
 * A part of the stored lines, without a gap: it grows and shrinks at both ends. Heights are reckoned from the length of
 * a line until it was drawn, and are then what it really takes.
 */
export class Lines {
  #rows: Row[] = [];
  #first = 0;
  /** Pixels above each row, as far as `#reckoned` says. */
  readonly #tops: number[] = [0];
  #reckoned = 0;
  /** Cells that fit into a row; `Infinity`: no wrapping. */
  #columns = Infinity;
  /** Cells of the widest line so far. */
  widest = 0;

  get first(): number {
    return this.#first;
  }

  /** Behind the last one. */
  get next(): number {
    return this.#first + this.#rows.length;
  }

  get length(): number {
    return this.#rows.length;
  }

  at(seq: number): Row | undefined {
    return this.#rows[seq - this.#first];
  }

  append(lines: readonly LogLine[]): void {
    for (const line of lines) this.#rows.push(this.#row(this.next, line));
  }

  prepend(lines: readonly LogLine[]): void {
    const first = this.#first - lines.length;
    this.#rows = [...lines.map((line, index) => this.#row(first + index, line)), ...this.#rows];
    this.#first = first;
    this.#reckoned = 0;
  }

  dropFirst(count: number): void {
    const dropped = this.#rows.splice(0, Math.max(0, count)).length;
    this.#first += dropped;
    if (dropped > 0) this.#reckoned = 0;
  }

  dropLast(count: number): void {
    this.#rows.length -= Math.min(this.#rows.length, Math.max(0, count));
    this.#reckoned = Math.min(this.#reckoned, this.#rows.length);
  }

  /** Numbers go on: a row that is drawn still is not taken for another one. */
  clear(): void {
    this.#first = this.next;
    this.#rows = [];
    this.#reckoned = this.widest = 0;
  }

  wrapAt(columns: number): void {
    if (columns === this.#columns) return;
    this.#columns = columns;
    for (const row of this.#rows) row.pixels = 0;
    this.#reckoned = 0;
  }

  /** What a row takes where it is drawn. Returns whether that was not known. */
  measured(seq: number, pixels: number): boolean {
    const row = this.at(seq);
    if (!row || pixels === 0 || this.#height(row) === pixels) return false;
    row.pixels = pixels;
    this.#reckoned = Math.min(this.#reckoned, seq - this.#first);
    return true;
  }

  /** It will take something else from now on. */
  forget(seq: number): void {
    const row = this.at(seq);
    if (!row) return;
    row.pixels = 0;
    this.#reckoned = Math.min(this.#reckoned, seq - this.#first);
  }

  /** Pixels of all. */
  get height(): number {
    return this.topOf(this.next);
  }

  /** Pixels above a row; of what lies beyond the ends, those of the end. */
  topOf(seq: number): number {
    const index = Math.min(Math.max(seq - this.#first, 0), this.#rows.length);
    while (this.#reckoned < index) {
      const row = this.#rows[this.#reckoned];
      const bottom = (this.#tops[this.#reckoned] ?? 0) + (row ? this.#height(row) : 0);
      this.#reckoned += 1;
      this.#tops[this.#reckoned] = bottom;
    }
    return this.#tops[index] ?? 0;
  }

  heightOf(seq: number): number {
    const row = this.at(seq);
    return row ? this.#height(row) : 0;
  }

  /** The row that covers a pixel; the nearest one if none does. */
  covering(y: number): number {
    let [low, high] = [this.#first, Math.max(this.#first, this.next - 1)];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.topOf(middle) > y) high = middle - 1;
      else low = middle;
    }
    return low;
  }

  /** What is to be drawn of a part of it: from `first` up to before `end`. */
  within(top: number, height: number): { first: number; end: number } {
    if (this.length === 0) return { first: this.#first, end: this.#first };
    const end = this.covering(top + height + SPARE) + 1;
    return { first: this.covering(Math.max(0, top - SPARE)), end: Math.min(this.next, end) };
  }

  /** Where a line is, if it is loaded. */
  find(line: Pick<LogLine, 'environment' | 'process' | 'at'>): Row | undefined {
    return this.#rows.find(
      ({ line: own }) => own.at === line.at && own.process === line.process && own.environment === line.environment,
    );
  }

  /** The first row that is not older than a moment, in milliseconds; else the last one. */
  since(moment: number): Row | undefined {
    return this.#rows.find(({ line }) => Date.parse(line.time) >= moment) ?? this.#rows.at(-1);
  }

  slice(from: number, end: number): Row[] {
    return this.#rows.slice(Math.max(0, from - this.#first), Math.max(0, end - this.#first));
  }

  #row(seq: number, line: LogLine): Row {
    const over = line.text.length - LONGEST;
    const text =
      over > 0 ? `${line.text.slice(0, LONGEST)} … and ${over.toLocaleString('en')} more characters` : line.text;
    const cells = cellsOf(text);
    this.widest = Math.max(this.widest, cells);
    return { seq, line, text, cells, pixels: 0 };
  }

  #height(row: Row): number {
    if (row.pixels > 0) return row.pixels;
    return this.#columns === Infinity ? ROW : ROW * Math.max(1, Math.ceil(row.cells / this.#columns));
  }
}
