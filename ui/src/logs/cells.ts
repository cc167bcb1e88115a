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
