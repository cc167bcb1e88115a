const UNITS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const DAY = 86_400_000;

/** `14:30`, `14:30:15.5`. */
const CLOCK = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,3}))?)?$/;
/** `10m`, `1h 30m ago`, `-5m`. */
const AGO = /^-?\s*((?:\d+(?:\.\d+)?\s*(?:s|m|h|d|w)[a-z]*\s*)+?)(?:\s*ago)?$/;
const DATE = /^(\d{4})-(\d{2})-(\d{2})(?:[t ]+(.+))?$/;

/**
 * The moment that a person means, in milliseconds since 1970, in the reader's own time zone; `null`: none. A time of day
 * is the last one that there was.
 */
export function momentOf(text: string, now: number): number | null {
  const said = text.trim().toLowerCase();
  if (said === 'now') return now;
  if (/(z|[+-]\d{2}:?\d{2})$/.test(said) && DATE.test(said.slice(0, 10))) return orNull(Date.parse(text.trim()));
  return relative(said, now) ?? timeOfDay(said, now) ?? dated(said, now);
}

const orNull = (moment: number) => (Number.isNaN(moment) ? null : moment);

function relative(said: string, now: number): number | null {
  const found = AGO.exec(said);
  if (!found) return null;
  const parts = (found[1] ?? '').matchAll(/(\d+(?:\.\d+)?)\s*([a-z])/g);
  let back = 0;
  for (const [, amount, unit] of parts) back += Number(amount) * (UNITS[unit ?? ''] ?? 0);
  return now - back;
}

function timeOfDay(said: string, now: number): number | null {
  const time = clock(said);
  if (time === null) return null;
  const today = at(new Date(now), time);
  return today > now ? at(new Date(now - DAY), time) : today;
}

function dated(said: string, now: number): number | null {
  const word = /^(today|yesterday)(?:\s+(.+))?$/.exec(said);
  const found = DATE.exec(said);
  if (!word && !found) return null;
  const day = word
    ? new Date(word[1] === 'today' ? now : now - DAY)
    : new Date(Number(found?.[1]), Number(found?.[2]) - 1, Number(found?.[3]));
  const rest = word?.[2] ?? found?.[4];
  const time = rest === undefined ? [0, 0, 0, 0] : clock(rest.trim());
  return time === null ? null : orNull(at(day, time));
}

/** Hours, minutes, seconds, milliseconds. */
function clock(said: string): number[] | null {
  const found = CLOCK.exec(said);
  if (!found) return null;
  const [hours, minutes, seconds] = [found[1], found[2], found[3] ?? 0].map(Number) as [number, number, number];
  if (hours > 23 || minutes > 59 || seconds > 59) return null;
  return [hours, minutes, seconds, Number((found[4] ?? '').padEnd(3, '0'))];
}

function at(day: Date, [hours = 0, minutes = 0, seconds = 0, rest = 0]: number[]): number {
  return new Date(day.getFullYear(), day.getMonth(), day.getDate(), hours, minutes, seconds, rest).getTime();
}
