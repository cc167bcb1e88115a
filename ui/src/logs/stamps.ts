import { age, preciseTime } from '../ui/format';

/** How the time of a line is written. */
export const STAMPS = ['local', 'utc', 'relative', 'off'] as const;
export type Stamps = (typeof STAMPS)[number];

/** Cells of the column, with the space behind it. */
export const STAMP_WIDTH: Record<Stamps, number> = { local: 14, utc: 15, relative: 10, off: 0 };

export const STAMP_WORDS: Record<Stamps, string> = {
  local: 'Local time',
  utc: 'UTC',
  relative: 'How long ago',
  off: 'No times',
};

export function stampOf(time: string, stamps: Stamps, now: number): string {
  if (stamps === 'off') return '';
  if (stamps === 'local') return preciseTime(time);
  if (stamps === 'utc') return `${new Date(time).toISOString().slice(11, 23)}Z`;
  return ago(now - Date.parse(time));
}

/** `3s`, `2m 10s`, `5d 3h`; what is of this second is `now`. */
const ago = (milliseconds: number) => (milliseconds < 1000 ? 'now' : age(milliseconds));
