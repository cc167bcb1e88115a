import { expect, test } from 'vitest';

import { matchesIn, reachOf } from './expression';

test.each([
  ['plain text', Infinity],
  ['a\\+b\\*', Infinity],
  ['[*+]', Infinity],
  ['took \\d+ms', 4000],
  ['(GET|POST) /', Infinity],
  ['\\d+:\\d+', 250],
  ['.*a.*b.*c', 60],
  ['.*.*.*.*x', 0],
  ['(\\w+\\s*)+;', 0],
  ['(a|a)*b', 0],
  ['(a{2,})+', 0],
  ['(abc)+', 4000],
])('of %s', (source, reach) => expect(reachOf(new RegExp(source, 'gu'))).toBe(reach));

test('an expression that a browser would not come to an end with marks nothing, at once', () => {
  const begun = performance.now();
  expect(matchesIn('word '.repeat(800), /(\w+\s*)+;/gu)).toEqual([]);
  expect(matchesIn('a'.repeat(4000), /.*.*.*.*b/gu)).toEqual([]);
  expect(performance.now() - begun).toBeLessThan(100);
  expect(matchesIn('took 12ms, took 3ms', /took \d+ms/gu).map((match) => match.index)).toEqual([0, 11]);
});
