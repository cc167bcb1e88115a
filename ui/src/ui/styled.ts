import type { StyledPart } from '../api/generated';
import { readable } from './contrast';
import { matchesIn } from './expression';

/** A piece of a text that looks alike. */
export interface Piece {
  text: string;
  /** Classes of `ansi.css`, ready for `class`; empty: as everything else. */
  look: string;
  /** A colour of its own, and the ground behind it; `null`: as `look` says. */
  colour: string | null;
  ground: string | null;
  /** It is what was sought. */
  found: boolean;
}

/** The sixteen names of a terminal's colours, in their order. */
const NAMES = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];

const PLAIN = { look: '', colour: null, ground: null };
type Look = Omit<Piece, 'text' | 'found'>;

/**
 * A text in pieces: dressed as its parts say, cut where something was found. Lengths that do not fit are cut: a text
 * that was shortened keeps the parts of the whole.
 */
export function piecesOf(text: string, parts: readonly StyledPart[], sought: RegExp | null, dark: boolean): Piece[] {
  const finds = sought === null ? [] : matchesIn(text, sought);
  const pieces: Piece[] = [];
  let begin = 0;
  const dress = (end: number, look: Look) => {
    let from = begin;
    for (const find of finds) {
      const [first, last] = [Math.max(find.index, from), Math.min(find.index + find[0].length, end)];
      if (first >= last) continue;
      push(pieces, text.slice(from, first), look, false);
      push(pieces, text.slice(first, last), look, true);
      from = last;
    }
    push(pieces, text.slice(from, end), look, false);
    begin = end;
  };
  for (const part of parts) {
    if (begin >= text.length) break;
    dress(Math.min(begin + part.length, text.length), lookOf(part, dark));
  }
  dress(text.length, PLAIN);
  return pieces;
}

function push(pieces: Piece[], text: string, look: Look, found: boolean): void {
  if (text !== '') pieces.push({ ...look, text, found });
}

/** Where a program sets a ground, what stands on it is what can be read there, whatever it wished for. */
function lookOf(part: StyledPart, dark: boolean): Look {
  const [front, back] = part.inverse
    ? [part.background, part.foreground ?? 'default']
    : [part.foreground, part.background];
  const classes: string[] = [];
  let [colour, ground]: [string | null, string | null] = [null, null];
  if (back !== undefined) {
    if (back.startsWith('#')) [ground, colour] = [back, readable.on(back)];
    else classes.push(`ansi-on-${indexOf(back)}`);
  } else if (front !== undefined) {
    if (front.startsWith('#')) colour = readable.as(front, dark);
    else classes.push(`ansi-${indexOf(front)}`);
  }
  if (part.bold) classes.push('ansi-bold');
  if (part.dim && front === undefined && back === undefined) classes.push('ansi-dim');
  if (part.italic) classes.push('ansi-italic');
  if (part.underline) classes.push('ansi-underline');
  if (part.strikethrough) classes.push('ansi-strikethrough');
  return { look: classes.join(' '), colour, ground };
}

/** `default` is the text's own colour. */
function indexOf(name: string): string {
  const bright = name.startsWith('bright_');
  const at = NAMES.indexOf(bright ? name.slice('bright_'.length) : name);
  return at < 0 ? 'default' : String(bright ? at + 8 : at);
}
