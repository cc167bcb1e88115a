import { expect, test, vi } from 'vitest';

import { Pace } from './pace';

test.each([
  ['a quick page rests for a frame', 3, 16],
  ['a slow one twice as long as it draws', 40, 80],
  ['but never so long that it seems to stand still', 400, 120],
])('%s', async (_, took, rest) => {
  const pace = new Pace();
  const times = [1000, 1000 + took];
  pace.draws(() => times.shift() ?? 0);
  await vi.waitFor(() => expect(pace.rest).toBe(rest));
});
