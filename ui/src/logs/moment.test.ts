import { expect, test } from 'vitest';

import { faultIn, momentOf, saidOf } from './moment';

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
  ['00:00:15.250Z', Date.UTC(2026, 10, new Date(now).getUTCDate(), 0, 0, 15, 250)],
  ['2026-11-20T08:15:30+02:00', Date.UTC(2026, 10, 20, 6, 15, 30)],
])('%s', (text, expected) => expect(momentOf(text, now)).toBe(expected));

test.each([
  '',
  'soon',
  '25:00',
  '12:61',
  '2026-11',
  '12',
  '5 parsecs',
  '2 months',
  '2026-13-01',
  '2026-02-30',
  '2026-11-20 8',
])('%s is no moment', (text) => expect(momentOf(text, now)).toBeNull());

test.each([
  ['soon', 0],
  ['25:00', 0],
  ['12', 2],
  ['12:61', 3],
  ['9:05:07.1234', 11],
  ['5 parsecs', 2],
  ['1h 2 months', 5],
  ['10m hence', 4],
  ['yesterday 25:10', 10],
  ['2026-13-01', 5],
  ['2026-02-30', 8],
  ['2026-11-20 8:75', 13],
  [' 12:61 ', 3],
])('%s makes sense up to %i', (text, place) => expect(faultIn(text)).toBe(place));

test('what is said of a moment means that moment', () => {
  for (const moment of [at(20, 0, 0), at(20, 8, 5, 9), at(24, 23, 59, 59, 7)])
    expect(momentOf(saidOf(moment), now)).toBe(moment);
  expect(saidOf(at(20, 8, 5, 9, 40))).toBe('2026-11-20 08:05:09.040');
});
