import { expect, test } from 'vitest';

import type { Mark, MarkKind } from '../api/generated';
import { groupsOf } from './marks';

const mark = (second: number, kind: MarkKind): Mark => ({
  time: new Date(second * 1000).toISOString(),
  process: 'api',
  kind,
  text: kind,
});

test('marks that stand on each other are one, the worst of them in front; others are not in sight', () => {
  const marks = [mark(-5, 'start'), mark(10, 'start'), mark(11, 'crash'), mark(11, 'restart'), mark(50, 'stop')];
  const groups = groupsOf(marks, { from: 0, to: 100_000 });
  expect(groups.map(({ share, marks: own }) => [share, own.map(({ kind }) => kind)])).toEqual([
    [0.11, ['crash', 'restart', 'start']],
    [0.5, ['stop']],
  ]);
});
