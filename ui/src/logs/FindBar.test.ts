// @vitest-environment jsdom
import { cleanup, render } from '@testing-library/svelte';
import { afterEach, expect, test } from 'vitest';

import type { Asking } from '../api/asking';
import { Find } from './find.svelte';
import FindBar from './FindBar.svelte';
import type { Log } from './log.svelte';

afterEach(cleanup);

test.each([
  [{ count: 0 }, 'not found'],
  [{ count: 7 }, '7'],
  [{ count: 7, place: 2 }, '3 of 7'],
  [{ count: 7, place: 2, done: false, share: 0.42 }, '3 of 7 … 42 %'],
  [{ count: 10_000, place: 0 }, '1 of 10,000'],
  [{ count: 10_001, place: 0 }, '1 of 10,000+'],
  [{ count: 123_456, done: false, share: 0.5 }, '10,000+ … 50 %'],
] as [Partial<Find>, string][])('of %j it says %j', (has, words) => {
  const find = Object.assign(new Find({} as Log, {} as Asking), has);
  find.sought.text = 'x';
  const { getByTestId } = render(FindBar, { find, onclose: () => {} });
  expect(getByTestId('log-find-count').textContent).toBe(words);
});
