import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { STAMP_WIDTH, STAMPS, stampOf, type Stamps } from './stamps';

// A quarter of an hour off the full ones, and on another day than UTC: what is mixed up shows.
beforeEach(() => void vi.stubEnv('TZ', 'Asia/Kathmandu'));
afterEach(() => void vi.unstubAllEnvs());

const now = Date.parse('2026-11-21T20:00:00Z');

test.each([
  ['2026-11-21T19:30:15.123456789Z', 'local', '01:15:15.123'],
  ['2026-11-21T19:30:15.123456789Z', 'utc', '19:30:15.123Z'],
  ['2026-11-21T19:30:15.123456789Z', 'off', ''],
  ['2026-11-21T19:30:05Z', 'local', '01:15:05.000'],
  ['2026-11-21T19:30:05Z', 'utc', '19:30:05.000Z'],
  ['2026-11-21T19:59:59.999Z', 'relative', 'now'],
  ['2026-11-21T20:00:01Z', 'relative', 'now'],
  ['2026-11-21T19:59:57Z', 'relative', '3s'],
  ['2026-11-21T19:57:50Z', 'relative', '2m 10s'],
  ['2026-11-21T16:30:00Z', 'relative', '3h 30m'],
  ['2026-11-16T17:00:00Z', 'relative', '5d 3h'],
] as [string, Stamps, string][])('%s, %s: %s', (time, stamps, text) => expect(stampOf(time, stamps, now)).toBe(text));

test.each(STAMPS)('the column has room for %s', (stamps) => {
  for (const time of ['2026-11-21T19:30:15.123Z', '2026-11-21T19:00:01Z', '2026-11-09T20:00:01Z'])
    expect(stampOf(time, stamps, now).length).toBeLessThanOrEqual(STAMP_WIDTH[stamps]);
});
