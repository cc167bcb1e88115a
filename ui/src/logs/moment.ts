import { clockTime } from '../ui/format';

const UNITS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const DAY = 86_400_000;

/** `14:30`, `14:30:15.5`; in UTC, as logs show it: `14:30:15.500Z`. */
const CLOCK = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,3}))?)?$/;
/** `s`, `min`, `hours`; not `months`. */
const UNIT = /(?:s(?:ec(?:ond)?s?)?|m(?:in(?:ute)?s?)?|h(?:(?:ou)?rs?)?|d(?:ays?)?|w(?:eeks?)?)(?![a-z])/.source;
/** `10m`, `1h 30m ago`, `-5m`. */
const AGO = new RegExp(`^-?\\s*((?:\\d+(?:\\.\\d+)?\\s*${UNIT}\\s*)+?)(?:\\s*ago)?$`);
const DATE = /^(\d{4})-(\d{2})-(\d{2})(?:[t ]+(.+))?$/;

/** As much of a time of day, or of a date, as makes sense; the rest of it may follow. */
const CLOCK_BEGUN = /(?:[01]?\d|2[0-3])(?!\d)(?::(?:[0-5]\d(?!\d)(?::(?:[0-5]\d(?!\d)(?:[.,]\d{0,3})?)?)?)?)?/.source;
const DATE_BEGUN = String.raw`\d{4}(?:-(?:(?:0[1-9]|1[0-2])(?:-(?:(?:0[1-9]|[12]\d|3[01])(?:[t ]+(?:${CLOCK_BEGUN})?)?)?)?)?)?`;
/** All that a moment can begin with. */
const BEGUN = [
  String.raw`-?\s*(?:\d+(?:\.\d+)?(?![\d.:])\s*(?:${UNIT}\s*)?)+`,
  CLOCK_BEGUN,
  DATE_BEGUN,
  String.raw`(?:today|yesterday)(?:\s+(?:${CLOCK_BEGUN})?)?`,
].map((pattern) => new RegExp(`^(?:${pattern})`));

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

/** Where a text that means no moment stops making sense; its end where it only lacks the rest. */
export function faultIn(text: string): number {
  const said = text.trim().toLowerCase();
  const begun = Math.max(...BEGUN.map((each) => each.exec(said)?.[0].length ?? 0));
  const [date, year, month, day] = DATE.exec(said) ?? [];
  const strange = date?.length === begun && !isDay(Number(year), Number(month), Number(day));
  return strange ? `${year}-${month}-`.length : begun;
}

/** A moment as `momentOf` reads it, to the millisecond. */
export function saidOf(moment: number): string {
  const date = new Date(moment);
  const pad = (value: number, width = 2) => String(value).padStart(width, '0');
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  const rest = date.getMilliseconds();
  return `${day} ${clockTime(date.toISOString())}${rest === 0 ? '' : `.${pad(rest, 3)}`}`;
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
  const time = clock(said.replace(/z$/, ''));
  if (time === null) return null;
  const on = said.endsWith('z') ? atUtc : at;
  const today = on(new Date(now), time);
  return today > now ? on(new Date(now - DAY), time) : today;
}

function dated(said: string, now: number): number | null {
  const word = /^(today|yesterday)(?:\s+(.+))?$/.exec(said);
  const found = DATE.exec(said);
  if (!word && !found) return null;
  if (found && !isDay(Number(found[1]), Number(found[2]), Number(found[3]))) return null;
  const day = word
    ? new Date(word[1] === 'today' ? now : now - DAY)
    : new Date(Number(found?.[1]), Number(found?.[2]) - 1, Number(found?.[3]));
  const rest = word?.[2] ?? found?.[4];
  const time = rest === undefined ? [0, 0, 0, 0] : clock(rest.trim());
  return time === null ? null : orNull(at(day, time));
}

/** There is such a day: `Date` takes the 30th of February for one in March. */
const isDay = (year: number, month: number, day: number) => {
  const date = new Date(year, month - 1, day);
  return date.getMonth() === month - 1 && date.getDate() === day;
};

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

function atUtc(day: Date, [hours = 0, minutes = 0, seconds = 0, rest = 0]: number[]): number {
  return Date.UTC(day.getUTCFullYear(), day.getUTCMonth(), day.getUTCDate(), hours, minutes, seconds, rest);
}
