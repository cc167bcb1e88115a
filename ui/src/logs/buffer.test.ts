import { describe, expect, test } from 'vitest';

import { logLine } from '../forge/fixtures';
import { cellsOf, LogBuffer, LONGEST } from './buffer';
import { columnsFor, nameWidth, ROW, windowOf } from './virtual';

const lines = (count: number, text = 'x') => Array.from({ length: count }, () => logLine(text));

describe('a ring of lines', () => {
  test('keeps the newest', () => {
    const buffer = new LogBuffer(10);
    buffer.append(lines(25));
    expect([buffer.first, buffer.next, buffer.length, buffer.rows, buffer.base]).toEqual([15, 25, 10, 10, 15]);
    expect(buffer.at(14)).toBeUndefined();
    expect(buffer.at(15)?.seq).toBe(15);
  });

  test('knows what lies above, wrapped and not', () => {
    const buffer = new LogBuffer(4);
    buffer.wrapAt(10);
    buffer.append([logLine('short'), logLine('x'.repeat(25)), logLine(''), logLine('x'.repeat(10))]);
    expect([0, 1, 2, 3].map((seq) => buffer.heightOf(seq))).toEqual([1, 3, 1, 1]);
    expect([0, 1, 2, 3].map((seq) => buffer.above(seq))).toEqual([0, 1, 4, 5]);
    expect([0, 1, 3, 4, 5, 99].map((row) => buffer.covering(row))).toEqual([0, 1, 1, 2, 3, 3]);
    buffer.append(lines(2));
    expect([buffer.first, buffer.base, buffer.rows, buffer.above(2), buffer.covering(0)]).toEqual([2, 4, 4, 0, 2]);
    buffer.wrapAt(Infinity);
    expect([buffer.rows, buffer.above(5), buffer.covering(3)]).toEqual([4, 3, 5]);
  });

  test('begins anew when emptied', () => {
    const buffer = new LogBuffer(4);
    buffer.append(lines(9));
    buffer.clear();
    expect([buffer.length, buffer.rows, buffer.base, buffer.widest]).toEqual([0, 0, 0, 0]);
    buffer.append(lines(2));
    expect([buffer.rows, buffer.above(1)]).toEqual([2, 1]);
  });

  test('cuts a line that is too long for a screen, and says so', () => {
    const buffer = new LogBuffer(1);
    buffer.append([logLine('y'.repeat(LONGEST + 7))]);
    expect(buffer.at(0)?.text).toMatch(/ … and 7 more characters$/);
  });

  test('takes 100,000 lines in no time worth mentioning', () => {
    const buffer = new LogBuffer(20_000);
    const many = lines(100_000, 'a line of about the usual length, with \x1b[31mcolour\x1b[0m in it');
    const begin = performance.now();
    buffer.append(many);
    expect(performance.now() - begin).toBeLessThan(10_000);
  });
});

test.each([
  ['abc', 3],
  ['漢字', 4],
  ['é', 1],
  ['a\tb', 9],
  ['🙂', 2],
])('cells of %j', (text, cells) => expect(cellsOf(text)).toBe(cells));

describe('the window', () => {
  test('holds what is in sight, and a little more', () => {
    const buffer = new LogBuffer(1000);
    buffer.append(lines(1000));
    expect(windowOf(buffer, 500 * ROW, 10 * ROW)).toEqual({ first: 496, end: 515 });
    expect(windowOf(buffer, 0, 10 * ROW).first).toBe(0);
    expect(windowOf(buffer, 990 * ROW, 10 * ROW).end).toBe(1000);
  });

  test('is empty for an empty log', () => expect(windowOf(new LogBuffer(5), 0, 500)).toEqual({ first: 0, end: 0 }));

  test('columns', () => {
    expect(nameWidth(['api', 'a-very-long-name-of-a-process'])).toBe(18);
    expect(nameWidth([])).toBe(6);
    expect(columnsFor(1036, 10, 8)).toBe(75);
    expect(columnsFor(10, 10, 8)).toBe(20);
  });
});
