import { expect, test } from 'vitest';

import { answer } from '../forge/fixtures';
import { Budget } from './budget';

test('it grows while nothing is found, and is small again once something is', () => {
  const budget = new Budget();
  const after = (texts: string[], at_end: boolean) => {
    budget.spent(answer(texts, { at_end }));
    return budget.milliseconds;
  };
  expect([after([], false), after([], false), after(['found'], false), after([], true)]).toEqual([100, 200, 50, 50]);
  for (let round = 0; round < 20; round += 1) budget.spent(answer([], { at_end: false }));
  expect(budget.milliseconds).toBe(8000);
});
