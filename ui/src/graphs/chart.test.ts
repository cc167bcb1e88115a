import { expect, test } from 'vitest';

import type { Columns } from '../forge/series.svelte';
import { dataOf } from './chart';

const lines = ['a', 'b'].map((name, colour) => ({ name, colour, dashed: false, shown: true }));

test('all lines share one time axis; where nobody measured is a gap', () => {
  const columns: Record<string, Columns> = {
    a: { times: [1000, 2000, 20_000], cpu: [1, 2, 3], memory: [0, 0, 0] },
    b: { times: [2004, 20_003], cpu: [5, null], memory: [0, 0] },
  };
  expect(dataOf(lines, (name) => columns[name]!, 'cpu')).toEqual([
    [1, 2, 3, 20],
    [1, 2, null, 3],
    [null, 5, null, null],
  ]);
});
