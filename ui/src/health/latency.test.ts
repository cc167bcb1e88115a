import { expect, test } from 'vitest';

import { latenciesOf, millis, percentile } from './latency';

test.each([
  [0.44, '0.4 ms'],
  [4, '4 ms'],
  [12.6, '13 ms'],
  [1250, '1.3 s'],
])('%d ms', (value, expected) => expect(millis(value)).toBe(expected));

test('what passed and what did not are two rows of one time', () => {
  const check = (second: number, latency_ms: number, passed: boolean) => ({
    time: new Date(second * 1000).toISOString(),
    latency_ms,
    passed,
  });
  expect(latenciesOf([check(1, 4, true), check(2, 1000, false)])).toMatchObject({
    times: [1, 2],
    passed: [4, null],
    failed: [null, 1000],
  });
});

test('no line goes on over a time in which nobody checked', () => {
  const at = (second: number) => ({ time: new Date(second * 1000).toISOString(), latency_ms: second, passed: true });
  const { times, checks, passed } = latenciesOf([at(2), at(4), at(6), at(106), at(108)]);
  expect(times).toEqual([2, 4, 6, 56, 106, 108]);
  expect(passed).toEqual([2, 4, 6, null, 106, 108]);
  expect(checks[3]).toBeNull();
});

test('percentiles', () => {
  expect([percentile([], 0.5), percentile([3, 1, 2], 0.5), percentile([3, 1, 2], 1)]).toEqual([null, 2, 3]);
});
