import { parseAnsi } from '../ui/ansi';

/** A piece of a line: its look, and whether it is what was sought. */
export interface Piece {
  text: string;
  look: string;
  found: boolean;
}

/** A line in pieces: its colours, cut where something was found. */
export function piecesOf(text: string, sought: RegExp | null): Piece[] {
  const spans = parseAnsi(text);
  if (sought === null) return spans.map((span) => ({ ...span, found: false }));
  const plain = spans.map((span) => span.text).join('');
  const finds = [...plain.matchAll(sought)].filter((match) => match[0] !== '');
  if (finds.length === 0) return spans.map((span) => ({ ...span, found: false }));
  const pieces: Piece[] = [];
  let begin = 0;
  for (const span of spans) {
    const end = begin + span.text.length;
    let from = begin;
    for (const find of finds) {
      const [first, last] = [Math.max(find.index, from), Math.min(find.index + find[0].length, end)];
      if (first >= last) continue;
      push(pieces, plain.slice(from, first), span.look, false);
      push(pieces, plain.slice(first, last), span.look, true);
      from = last;
    }
    push(pieces, plain.slice(from, end), span.look, false);
    begin = end;
  }
  return pieces;
}

function push(pieces: Piece[], text: string, look: string, found: boolean): void {
  if (text !== '') pieces.push({ text, look, found });
}
