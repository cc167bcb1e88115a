/** What of a text fits a pattern, and how well; higher is better. */
export interface Fit {
  score: number;
  /** Places of the fitting characters. */
  at: number[];
}

const [CONSECUTIVE, WORD, FIRST] = [10, 6, 4];
/** Begins a word: the first one, or after a separator. */
const SEPARATOR = /[\s/._:-]/;

/**
 * Every character of the pattern, in order, anywhere in the text; upper and lower case alike; the pattern's blanks
 * count for nothing. Runs of characters and beginnings of words are better than what is scattered.
 */
export function fuzzy(pattern: string, text: string): Fit | null {
  const wanted = pattern.toLowerCase().replaceAll(/\s+/g, '');
  const given = text.toLowerCase();
  if (wanted === '') return { score: 0, at: [] };
  let best: Fit | null = null;
  // The first character decides: from each of its places greedily on, which is good enough for short texts.
  for (let start = given.indexOf(wanted[0] ?? ''); start >= 0; start = given.indexOf(wanted[0] ?? '', start + 1)) {
    const fit = from(start, wanted, given);
    if (fit && (best === null || fit.score > best.score)) best = fit;
  }
  return best;
}

function from(start: number, wanted: string, given: string): Fit | null {
  const at = [start];
  let score = bonus(start, given);
  for (const character of wanted.slice(1)) {
    const last = at.at(-1) ?? 0;
    const next = nextPlace(character, given, last + 1);
    if (next < 0) return null;
    score += next === last + 1 ? CONSECUTIVE : bonus(next, given) - Math.min(next - last, 6) / 2;
    at.push(next);
  }
  return { score: score - given.length / 50, at };
}

/** The next character, or rather the next beginning of a word with it. */
function nextPlace(character: string, given: string, after: number): number {
  const plain = given.indexOf(character, after);
  if (plain === after || plain < 0) return plain;
  for (let place = plain; place >= 0; place = given.indexOf(character, place + 1)) {
    if (SEPARATOR.test(given[place - 1] ?? '')) return place;
  }
  return plain;
}

function bonus(place: number, given: string): number {
  if (place === 0) return WORD + FIRST;
  return SEPARATOR.test(given[place - 1] ?? '') ? WORD : 0;
}

/**
 * Those that fit, best first; as they come for an empty pattern. `bonusOf` says what is worth more for another reason
 * than its text.
 */
export function rank<T>(
  pattern: string,
  items: readonly T[],
  textOf: (item: T) => string,
  bonusOf: (item: T) => number = () => 0,
): { item: T; fit: Fit }[] {
  const fits = items.flatMap((item) => {
    const fit = fuzzy(pattern, textOf(item));
    return fit ? [{ item, fit: { ...fit, score: fit.score + bonusOf(item) } }] : [];
  });
  return pattern.trim() === '' ? fits : fits.sort((a, b) => b.fit.score - a.fit.score);
}
