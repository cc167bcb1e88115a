/** What stands where there is nothing to say. */
export const NOTHING = '–';

/** `45 MB`: decimal units, three figures at most. */
export function bytes(count: number | null): string {
  if (count === null) return NOTHING;
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let [value, unit] = [count, 0];
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit > 0 && value < 9.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

/** `2.3 %`; 100 is one core. */
export function percent(value: number | null): string {
  return value === null ? NOTHING : `${value.toFixed(value < 99.95 ? 1 : 0)} %`;
}

/** `12s`, `3m 20s`, `2h 34m`, `5d 3h`: how long something has lasted. */
export function age(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const [minutes, hours, days] = [60, 3600, 86400].map((unit) => Math.floor(seconds / unit)) as [
    number,
    number,
    number,
  ];
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${minutes}m ${seconds % 60}s`;
  if (seconds < 86400) return `${hours}h ${minutes % 60}m`;
  return `${days}d ${hours % 24}h`;
}

/** Since a moment, at another; nothing if it is unknown. */
export function since(time: string | null, now: number): string {
  return time === null ? NOTHING : age(now - Date.parse(time));
}

const pad = (value: number, width: number) => String(value).padStart(width, '0');

/** `14:30:15`, in the reader's own time zone. */
export function clockTime(time: string): string {
  const date = new Date(time);
  return `${pad(date.getHours(), 2)}:${pad(date.getMinutes(), 2)}:${pad(date.getSeconds(), 2)}`;
}

/** `14:30:15.123`. */
export function preciseTime(time: string): string {
  return `${clockTime(time)}.${pad(new Date(time).getMilliseconds(), 3)}`;
}

/** `21 Nov` */
export const dayOf = (date: Date) => date.toLocaleDateString(undefined, { day: 'numeric', month: 'short' });

/** `14:30:15` on the same day, else `21 Nov 14:30`. */
export function dayTime(time: string, now: number): string {
  const date = new Date(time);
  if (date.toDateString() === new Date(now).toDateString()) return clockTime(time);
  return `${dayOf(date)} ${pad(date.getHours(), 2)}:${pad(date.getMinutes(), 2)}`;
}

/** `12`, `4.1k`, `2.3M`: a count where there is little room. */
export function short(count: number): string {
  if (count < 1000) return String(count);
  const [value, unit] = count < 999_500 ? [count / 1000, 'k'] : [count / 1e6, 'M'];
  return `${value.toFixed(value < 9.95 ? 1 : 0)}${unit}`;
}

/** `1 process`, `4 processes`. */
export function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** `a, b and c`. */
export function list(names: readonly string[]): string {
  if (names.length < 2) return names.join('');
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** What follows a word that says a part of it already: `exited` and `exit 0` are `exited` and `with 0`. */
export function afterWord(word: string, text: string): string {
  return word === 'exited' ? text.replace(/^exit (?=\d)/, 'with ') : text;
}

/** `localhost:3000`: a URL as short as it can be told. */
export function shortUrl(url: string): string {
  return url.replace(/^https?:\/\//, '').replace(/\/$/, '');
}

/** The port that a URL leads to; `null` where that cannot be told. */
export function portOf(url: string): number | null {
  try {
    const { port, protocol } = new URL(url);
    return port === '' ? ({ 'http:': 80, 'https:': 443 }[protocol] ?? null) : Number(port);
  } catch {
    return null;
  }
}
