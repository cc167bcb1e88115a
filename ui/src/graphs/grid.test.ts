import { expect, test } from 'vitest';

import { History } from '../forge/series.svelte';
import { cost } from '../forge/fixtures';
import { gridOf, indexAt, isMeasured, newestAt, rowsOf, stacked } from './grid';

const lines = ['a', 'b'].map((name, colour) => ({ name, colour, dashed: false, shown: true }));

function history() {
  const all = new History();
  const sample = (name: string, cpu: number | null) => cost(name, { cpu_percent: cpu });
  all.append(1000, [sample('a', 1)]);
  all.append(2004, [sample('a', 2), sample('b', 5)]);
  all.append(20_000, [sample('a', 3), sample('b', null)]);
  return ['a', 'b'].map((name) => all.of(name));
}

test('all lines share one time axis; where nobody measured is a gap', () => {
  const columns = history();
  const grid = gridOf(columns, 1);
  expect(grid.times).toEqual([1, 2, 3, 20]);
  expect(rowsOf(grid, columns, ({ cpu }) => cpu)).toEqual([
    [1, 2, null, 3],
    [null, 5, null, null],
  ]);
});

test('samples that stand far apart because that was asked for are no gap', () => {
  expect(gridOf(history(), 10).times).toEqual([1, 2, 20]);
});

test('stacked, each stands on those that are shown before it', () => {
  const rows = [
    [1, 2, null],
    [5, null, null],
  ];
  expect(stacked(rows, lines)).toEqual([
    [1, 2, null],
    [6, null, null],
  ]);
  expect(stacked(rows, [{ ...lines[0]!, shown: false }, lines[1]!])).toEqual([
    [null, null, null],
    [5, null, null],
  ]);
});

test('a figure that nobody can have is not measured', () => {
  expect([isMeasured([[null], [null]]), isMeasured([[null], [0]])]).toEqual([false, true]);
});

test.each([
  [0, -1],
  [1, 0],
  [2.5, 1],
  [99, 3],
])('the sample up to second %d', (moment, expected) => expect(indexAt([1, 2, 3, 20], moment)).toBe(expected));

test.each([
  ['now, while something is measured', [1, 2, 20], null, 1, 21_000, 2],
  ['now, long after the last sample', [1, 2, 20], null, 1, 60_000, -1],
  ['now, in steps of two minutes', [120, 240], null, 120, 400_000, 1],
  ['a moment, however long ago', [1, 2, 20], 2100, 1, 60_000, 1],
  ['without a sample', [], null, 1, 60_000, -1],
])('figures of %s', (_, times, moment, step, now, index) => expect(newestAt(times, moment, step, now)).toBe(index));
