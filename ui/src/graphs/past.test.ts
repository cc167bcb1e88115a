import { expect, test } from 'vitest';

import { stepIn } from './past.svelte';

const NOW = 1_800_000_000_000;
const minutes = (count: number) => count * 60_000;

test.each([
  ['the last ten minutes', 10, 0, 1000],
  ['the last hour', 60, 0, 10_000],
  ['ten minutes of an hour ago, of which only points of ten seconds are kept', 70, 60, 10_000],
  ['a part that begins before the last quarter of an hour', 16, 10, 10_000],
  ['a day', 24 * 60, 0, 120_000],
])('%s', (_, from, to, step) => {
  expect(stepIn({ from: NOW - minutes(from), to: NOW - minutes(to) }, NOW)).toBe(step);
});
