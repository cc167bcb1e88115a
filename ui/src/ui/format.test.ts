import { expect, test } from 'vitest';

import { afterWord, portOf, age, bytes, count, list, percent, shortUrl, since } from './format';

test.each([
  [null, '–'],
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [12_345_678, '12 MB'],
  [999_600, '1.0 MB'],
  [5_400_000_000, '5.4 GB'],
])('bytes %s', (value, text) => expect(bytes(value)).toBe(text));

test.each([
  [null, '–'],
  [0, '0.0 %'],
  [12.34, '12.3 %'],
  [99.96, '100 %'],
  [312.5, '313 %'],
])('percent %s', (value, text) => expect(percent(value)).toBe(text));

test.each([
  [-5, '0s'],
  [59_999, '59s'],
  [200_000, '3m 20s'],
  [9_240_000, '2h 34m'],
  [446_400_000, '5d 4h'],
])('age %s', (value, text) => expect(age(value)).toBe(text));

test('what is unknown is no figure', () => expect(since(null, 0)).toBe('–'));
test('names in a sentence', () =>
  expect([list([]), list(['a']), list(['a', 'b', 'c'])]).toEqual(['', 'a', 'a, b and c']));
test('one and many', () =>
  expect([count(1, 'line', 'lines'), count(0, 'line', 'lines')]).toEqual(['1 line', '0 lines']));
test('a short URL', () => expect(shortUrl('http://localhost:3000/')).toBe('localhost:3000'));

test.each([
  ['http://localhost:3000/docs', 3000],
  ['https://shop.test', 443],
  ['http://shop.test/', 80],
  ['postgres://localhost', null],
  ['nothing', null],
])('%j leads to the port %j', (url, port) => expect(portOf(url)).toBe(port));

test('what a word says already is not said again', () => {
  expect(afterWord('exited', 'exit 0 after 3.2 s')).toBe('with 0 after 3.2 s');
  expect(afterWord('crashed', 'exit 1')).toBe('exit 1');
});
