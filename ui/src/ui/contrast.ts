/** Of text on its ground: WCAG 2.2, 1.4.3 (AA). */
const ENOUGH = 4.5;
/** What a log stands on; as `--ground-sunk` in `tokens.css`. */
const GROUNDS = { dark: '#111114', light: '#fafafb' };
/** Steps from a colour to black or white. */
const STEPS = 16;

type Colour = [red: number, green: number, blue: number];

function parse(hex: string): Colour {
  const value = Number.parseInt(hex.slice(1), 16) || 0;
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}

const text = (colour: Colour) => `#${colour.map((part) => Math.round(part).toString(16).padStart(2, '0')).join('')}`;

/** Relative luminance, as WCAG defines it. */
function luminance(colour: Colour): number {
  const [red, green, blue] = colour.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as Colour;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** From 1, the same, to 21, black on white. */
export function contrast(one: string, other: string): number {
  const [a, b] = [luminance(parse(one)), luminance(parse(other))];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

const known = new Map<string, string>();
/** Programs draw gradients: what was worked out is kept, but not for ever. */
const KEPT = 2000;

/** Colours that programs chose for a ground that is not ours. */
export const readable = {
  /** The colour itself, or as little lighter or darker as makes it readable. */
  as(hex: string, dark: boolean): string {
    const key = `${hex}${dark}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    if (known.size >= KEPT) known.clear();
    const found = nearest(hex, dark ? GROUNDS.dark : GROUNDS.light, dark ? 255 : 0);
    known.set(key, found);
    return found;
  },
  /** Black or white, whichever is read better on it. */
  on: (hex: string): string => (contrast(hex, '#000000') >= contrast(hex, '#ffffff') ? '#000000' : '#ffffff'),
};

function nearest(hex: string, ground: string, towards: number): string {
  const colour = parse(hex);
  for (let step = 0; step < STEPS; step += 1) {
    const mixed = text(colour.map((part) => part + ((towards - part) * step) / STEPS) as Colour);
    if (contrast(mixed, ground) >= ENOUGH) return mixed;
  }
  return text([towards, towards, towards]);
}
