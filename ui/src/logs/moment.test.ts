import { expect, test } from 'vitest';

import { momentOf } from './moment';

const now = new Date(2026, 10, 25, 14, 0, 0).getTime();
const at = (day: number, hours: number, minutes: number, seconds = 0, rest = 0) =>
  new Date(2026, 10, day, hours, minutes, seconds, rest).getTime();

test.each([
  ['now', now],
  ['10m ago', now - 600_000],
  ['10m', now - 600_000],
  ['-90s', now - 90_000],
  ['1h 30m ago', now - 5_400_000],
  ['2 hours ago', now - 7_200_000],
  ['0.5h', now - 1_800_000],
  ['13:30', at(25, 13, 30)],
  ['9:05:07.25', at(25, 9, 5, 7, 250)],
  ['14:30', at(24, 14, 30)],
  ['2026-11-20', at(20, 0, 0)],
  ['2026-11-20 08:15', at(20, 8, 15)],
  ['2026-11-20T08:15:30', at(20, 8, 15, 30)],
  ['yesterday', at(24, 0, 0)],
  ['yesterday 23:10', at(24, 23, 10)],
  ['2026-11-20T08:15:30Z', Date.UTC(2026, 10, 20, 8, 15, 30)],
  ['2026-11-20T08:15:30+02:00', Date.UTC(2026, 10, 20, 6, 15, 30)],
])('%s', (text, expected) => expect(momentOf(text, now)).toBe(expected));

test.each(['', 'soon', '25:00', '12:61', '2026-11', '12', '5 parsecs'])('%s is no moment', (text) =>
  expect(momentOf(text, now)).toBeNull(),
);
