import { expect, test } from 'vitest';

import { logLine } from '../forge/fixtures';
import { Join } from './join';

const at = (second: number, digits = '000') =>
  logLine(String(second), { time: `2026-11-21T10:00:0${second}.${digits}Z` });
const texts = (lines: { text: string }[]) => lines.map((line) => line.text);

test('without a leap every line is given', () => {
  const join = new Join();
  expect(texts(join.next([at(1), at(1), at(2)]))).toEqual(['1', '1', '2']);
  expect(texts(join.next([at(2)]))).toEqual(['2']);
});

test('after a leap that overlaps no line comes twice, and there is no gap', () => {
  const join = new Join();
  join.next([at(1), at(3)]);
  join.skip();
  expect(join.next([at(1), at(2)])).toEqual([]);
  expect(texts(join.next([at(3), at(3, '000000001'), at(4)]))).toEqual(['3', '4']);
  expect(texts(join.next([at(4)]))).toEqual(['4']);
});

test('after a leap that does not overlap a line says so', () => {
  const join = new Join();
  join.next([at(1)]);
  join.skip();
  const lines = join.next([at(5), at(6)]);
  expect(lines[0]).toMatchObject({ stream: 'forge', text: expect.stringContaining('left out') });
  expect(texts(lines.slice(1))).toEqual(['5', '6']);
});

test('a leap before the first line is none', () => {
  const join = new Join();
  join.skip();
  expect(texts(join.next([at(1)]))).toEqual(['1']);
});
