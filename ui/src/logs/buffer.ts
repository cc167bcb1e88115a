import type { LogLine } from '../api/generated';
import { stripAnsi } from '../ui/ansi';

/** Characters of a line that are shown; what is longer says so. */
export const LONGEST = 4000;

/** A line as it is shown. */
export interface Row {
  /** From 0, never used twice in one buffer. */
  readonly seq: number;
  readonly line: LogLine;
  /** As shown: cut, with what stood in it of escapes. */
  readonly text: string;
  /** Cells of a fixed-width font. */
  readonly cells: number;
}

/**
 * The newest lines, in a ring, with what a list of them needs: how many rows of the screen lie above each. Without
 * wrapping a line is one row.
 */
export class LogBuffer {
  readonly capacity: number;
  #rows: (Row | undefined)[];
  /** Rows of the screen up to and with the line, counted from the first line ever. */
  #ends: Float64Array;
  /** Rows of the screen of all lines that are gone. */
  #base = 0;
  #first = 0;
  #next = 0;
  /** Cells that fit into a row; `Infinity`: no wrapping. */
  #columns = Infinity;
  /** Of the widest line so far; shrinks only when emptied. */
  widest = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#rows = new Array<Row | undefined>(capacity);
    this.#ends = new Float64Array(capacity);
  }

  get first(): number {
    return this.#first;
  }

  /** Of the line that comes next. */
  get next(): number {
    return this.#next;
  }

  get length(): number {
    return this.#next - this.#first;
  }

  /** Rows of the screen of all lines that are gone: what is above has moved up by so much since the beginning. */
  get base(): number {
    return this.#base;
  }

  at(seq: number): Row | undefined {
    return seq < this.#first || seq >= this.#next ? undefined : this.#rows[seq % this.capacity];
  }

  append(lines: readonly LogLine[]): void {
    for (const line of lines) {
      if (this.length === this.capacity) {
        this.#base = this.#end(this.#first);
        this.#first += 1;
      }
      const row = toRow(this.#next, line);
      this.#rows[this.#next % this.capacity] = row;
      this.#ends[this.#next % this.capacity] = this.#end(this.#next - 1) + this.#height(row.cells);
      this.#next += 1;
      this.widest = Math.max(this.widest, row.cells);
    }
  }

  clear(): void {
    this.#rows = new Array<Row | undefined>(this.capacity);
    this.#first = this.#next = this.#base = 0;
    this.widest = 0;
  }

  /** Counts all rows again. */
  wrapAt(columns: number): void {
    if (columns === this.#columns) return;
    this.#columns = columns;
    this.#base = 0;
    let end = 0;
    for (let seq = this.#first; seq < this.#next; seq += 1) {
      end += this.#height(this.at(seq)?.cells ?? 0);
      this.#ends[seq % this.capacity] = end;
    }
  }

  /** Rows of the screen that all lines take. */
  get rows(): number {
    return this.#end(this.#next - 1) - this.#base;
  }

  /** Rows of the screen above a line that is there. */
  above(seq: number): number {
    return this.#end(seq - 1) - this.#base;
  }

  /** Rows of the screen that a line takes. */
  heightOf(seq: number): number {
    return this.#end(seq) - this.#end(seq - 1);
  }

  /** The line that covers a row of the screen; the nearest one if none does. */
  covering(row: number): number {
    const wanted = row + this.#base;
    let [low, high] = [this.#first, Math.max(this.#first, this.#next - 1)];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#end(middle) > wanted) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #end(seq: number): number {
    if (seq < this.#first) return this.#base;
    return this.#ends[seq % this.capacity] ?? 0;
  }

  #height(cells: number): number {
    return this.#columns === Infinity ? 1 : Math.max(1, Math.ceil(cells / this.#columns));
  }
}

function toRow(seq: number, line: LogLine): Row {
  const over = line.text.length - LONGEST;
  const text = over > 0 ? `${line.text.slice(0, LONGEST)} … and ${over} more characters` : line.text;
  return { seq, line, text, cells: cellsOf(stripAnsi(text)) };
}

/** Plain ASCII without tabs: as many cells as characters. */
const PLAIN = /^[\x20-\x7e]*$/;
const TAB = 8;

/** Cells of a fixed-width font; wide characters are two, a tab goes to the next stop. */
export function cellsOf(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let cells = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code === 9) cells += TAB - (cells % TAB);
    else cells += isWide(code) ? 2 : 1;
  }
  return cells;
}

/** East Asian wide forms and pictures, roughly: Unicode's EastAsianWidth W and F. */
function isWide(code: number): boolean {
  return (
    code >= 0x1100 &&
    (code <= 0x115f ||
      (code >= 0x2e80 && code <= 0xa4cf) ||
      (code >= 0xac00 && code <= 0xd7a3) ||
      (code >= 0xf900 && code <= 0xfaff) ||
      (code >= 0xfe30 && code <= 0xfe6f) ||
      (code >= 0xff00 && code <= 0xff60) ||
      (code >= 0x1f300 && code <= 0x1faff) ||
      (code >= 0x20000 && code <= 0x3fffd))
  );
}
