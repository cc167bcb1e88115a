/** A piece of text with one look. */
export interface Span {
  text: string;
  /** Classes of `ansi.css`, ready for `class`; empty: as everything else. */
  look: string;
}

/** What holds from here on. */
interface Pen {
  colour: number | null;
  bold: boolean;
  faint: boolean;
  italic: boolean;
  underline: boolean;
}

const PLAIN: Pen = { colour: null, bold: false, faint: false, italic: false, underline: false };

/**
 * Escape sequences (ECMA-48): CSI; strings (OSC, DCS, SOS, PM, APC) to their end, or the line's; two- and
 * three-character ones. And control characters but the tab.
 */
// eslint-disable-next-line no-control-regex
const SEQUENCE =
  /\x1b\[([0-?]*)([ -/]*)([@-~])|\x9b([0-?]*)([ -/]*)([@-~])|\x1b[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c|$)|\x1b\[[0-?]*[ -/]*$|\x1b[ -/]*[0-~]?|[\0-\x08\x0a-\x1f\x7f-\x9f]/g;

// eslint-disable-next-line no-control-regex
const ANY = /[\0-\x08\x0a-\x1f\x7f-\x9f]/;

/** Colours as spans; every other sequence is left out. Never markup: the text is text. */
export function parseAnsi(text: string): Span[] {
  if (!ANY.test(text)) return text === '' ? [] : [{ text, look: '' }];
  const spans: Span[] = [];
  let pen = PLAIN;
  let from = 0;
  for (const found of text.matchAll(SEQUENCE)) {
    push(spans, text.slice(from, found.index), pen);
    from = found.index + found[0].length;
    const [parameters, intermediate, final] = [found[1] ?? found[4], found[2] ?? found[5], found[3] ?? found[6]];
    if (final === 'm' && intermediate === '') pen = turn(pen, parameters ?? '');
  }
  push(spans, text.slice(from), pen);
  return spans;
}

/** The text alone. */
export const stripAnsi = (text: string): string => (ANY.test(text) ? text.replace(SEQUENCE, '') : text);

function push(spans: Span[], text: string, pen: Pen): void {
  if (text === '') return;
  const look = lookOf(pen);
  const last = spans.at(-1);
  if (last?.look === look) last.text += text;
  else spans.push({ text, look });
}

function lookOf(pen: Pen): string {
  const classes = [];
  if (pen.colour !== null) classes.push(`ansi-${pen.colour}`);
  if (pen.bold) classes.push('ansi-bold');
  if (pen.faint) classes.push('ansi-faint');
  if (pen.italic) classes.push('ansi-italic');
  if (pen.underline) classes.push('ansi-underline');
  return classes.join(' ');
}

/** Select Graphic Rendition. Backgrounds are left out: they would not fit both light and dark. */
function turn(pen: Pen, parameters: string): Pen {
  const codes = parameters.split(';');
  let next = pen;
  for (let at = 0; at < codes.length; at += 1) {
    const [code = 0, ...own] = (codes[at] ?? '').split(':').map(Number);
    if (code !== 38 && code !== 48) {
      next = simple(next, code);
      continue;
    }
    // What belongs to it stands behind colons, or in the codes after it.
    const rest = own.length > 0 ? own : codes.slice(at + 1).map(Number);
    const { colour, taken } = extended(rest, own.length > 4);
    if (code === 38) next = { ...next, colour };
    if (own.length === 0) at += taken;
  }
  return next;
}

function simple(pen: Pen, code: number): Pen {
  if (code === 0) return PLAIN;
  if (code === 1) return { ...pen, bold: true };
  if (code === 2) return { ...pen, faint: true };
  if (code === 3) return { ...pen, italic: true };
  if (code === 4) return { ...pen, underline: true };
  if (code === 22) return { ...pen, bold: false, faint: false };
  if (code === 23) return { ...pen, italic: false };
  if (code === 24) return { ...pen, underline: false };
  if (code >= 30 && code <= 37) return { ...pen, colour: code - 30 };
  if (code === 39) return { ...pen, colour: null };
  if (code >= 90 && code <= 97) return { ...pen, colour: code - 82 };
  return pen;
}

/** After 38 or 48: `5;N` or `2;R;G;B`, with a colour space before R if there is one. Returns one of the sixteen. */
function extended(rest: number[], space: boolean): { colour: number | null; taken: number } {
  if (rest[0] === 5) return { colour: nearestOf256(rest[1] ?? 0), taken: 2 };
  if (rest[0] !== 2) return { colour: null, taken: 0 };
  const [red = 0, green = 0, blue = 0] = rest.slice(space ? 2 : 1);
  return { colour: nearest(red, green, blue), taken: 4 };
}

/** Of the palette of 256, one of the sixteen, whose hues fit light and dark. */
function nearestOf256(index: number): number | null {
  if (index < 16) return index;
  if (index >= 232) return index < 244 ? 8 : 7;
  const cube = index - 16;
  const level = (step: number) => (step === 0 ? 0 : 55 + step * 40);
  return nearest(level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6));
}

/** By hue, as the eye groups them. */
function nearest(red: number, green: number, blue: number): number {
  const top = Math.max(red, green, blue);
  if (top - Math.min(red, green, blue) < 32) return top < 128 ? 8 : 7;
  const bits = [red, green, blue].map((part) => (part > top * 0.6 ? 1 : 0)) as [number, number, number];
  return bits[0] + bits[1] * 2 + bits[2] * 4;
}
