import { describe, expect, test } from 'vitest';

import { logLine } from '../forge/fixtures';
import { cellsOf } from './cells';
import { columnsFor, nameWidth } from './columns';
import { Lines, LONGEST, ROW } from './lines';

const some = (count: number, text = 'x') => Array.from({ length: count }, (_, at) => logLine(text, { at: `1:${at}` }));

describe('a window onto the lines', () => {
  test('grows and shrinks at both ends, and a place stays what it was', () => {
    const lines = new Lines();
    lines.append([logLine('b'), logLine('c')]);
    lines.prepend([logLine('a')]);
    expect([lines.first, lines.next, lines.at(-1)?.text, lines.at(0)?.text]).toEqual([-1, 2, 'a', 'b']);
    lines.dropFirst(2);
    lines.append([logLine('d')]);
    lines.dropLast(1);
    expect([lines.first, lines.next, lines.at(0), lines.at(1)?.text]).toEqual([1, 2, undefined, 'c']);
    lines.clear();
    lines.append([logLine('e')]);
    expect([lines.first, lines.at(2)?.text]).toEqual([2, 'e']);
  });

  test('knows what lies above, wrapped and not', () => {
    const lines = new Lines();
    lines.wrapAt(10);
    lines.append([logLine('short'), logLine('x'.repeat(25)), logLine(''), logLine('x'.repeat(10))]);
    expect([0, 1, 2, 3, 4].map((seq) => lines.topOf(seq) / ROW)).toEqual([0, 1, 4, 5, 6]);
    expect([0, 1, 3.9, 4, 5, 99].map((row) => lines.covering(row * ROW))).toEqual([0, 1, 1, 2, 3, 3]);
    lines.prepend(some(2));
    expect([lines.topOf(0) / ROW, lines.height / ROW]).toEqual([2, 8]);
    lines.wrapAt(Infinity);
    expect([lines.height / ROW, lines.topOf(1) / ROW]).toEqual([6, 3]);
  });

  test('believes what was measured rather than what was reckoned, until it is wrapped otherwise', () => {
    const lines = new Lines();
    lines.append(some(3));
    expect(lines.height).toBe(3 * ROW);
    expect([lines.measured(1, 150), lines.measured(1, 150), lines.measured(2, ROW)]).toEqual([true, false, false]);
    expect([lines.topOf(1), lines.topOf(2), lines.height]).toEqual([ROW, ROW + 150, 2 * ROW + 150]);
    lines.forget(1);
    expect(lines.height).toBe(3 * ROW);
    lines.measured(1, 150);
    lines.wrapAt(80);
    expect(lines.height).toBe(3 * ROW);
  });

  test('draws what is in sight, and a little more', () => {
    const lines = new Lines();
    lines.append(some(1000));
    const { first, end } = lines.within(500 * ROW, 10 * ROW);
    expect([first <= 500, first > 490, end >= 510, end < 520]).toEqual([true, true, true, true]);
    expect(new Lines().within(0, 500)).toEqual({ first: 0, end: 0 });
  });

  test('finds a line by its process and place, and a moment', () => {
    const lines = new Lines();
    lines.append([
      logLine('a', { at: '1:5', time: '2026-11-21T10:00:00Z' }),
      logLine('b', { at: '1:5', process: 'web', time: '2026-11-21T10:00:01Z' }),
    ]);
    expect(lines.find({ environment: 'dev', process: 'web', at: '1:5' })?.text).toBe('b');
    expect(lines.find({ environment: 'dev', process: 'web', at: '1:6' })).toBeUndefined();
    expect(lines.since(Date.parse('2026-11-21T10:00:00.500Z'))?.text).toBe('b');
    expect(lines.since(Date.parse('2027-01-01'))?.text).toBe('b');
  });

  test('cuts a line that is too long for a screen, and says so', () => {
    const lines = new Lines();
    lines.append([logLine('y'.repeat(LONGEST + 7))]);
    expect(lines.at(0)?.text).toMatch(/ … and 7 more characters$/);
  });
});

test.each([
  ['abc', 3],
  ['漢字', 4],
  ['é', 1],
  ['a\tb', 9],
  ['🙂', 2],
])('cells of %j', (text, cells) => expect(cellsOf(text)).toBe(cells));

test('columns', () => {
  expect(nameWidth(['api', 'a-very-long-name-of-a-process'])).toBe(18);
  expect(nameWidth([])).toBe(6);
  expect(columnsFor(1052, 10, 8, 14)).toBe(75);
  expect(columnsFor(10, 10, 8, 14)).toBe(20);
});
