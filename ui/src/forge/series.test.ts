import { expect, test } from 'vitest';

import { cost, series } from './fixtures';
import { History, SAMPLES } from './series.svelte';

const sample = (cpu: number) => [cost('api', { cpu_percent: cpu })];

test('a sample comes once, and the oldest go', () => {
  const history = new History();
  for (let second = 1; second <= SAMPLES + 10; second += 1) history.append(second * 1000, sample(second));
  history.append(5000, sample(1));
  const { times, cpu } = history.of('api');
  expect([times.length, times[0], cpu.at(-1)]).toEqual([SAMPLES, 11_000, SAMPLES + 10]);
});

test('the record fills in what was missed, and what came since stays', () => {
  const history = new History();
  history.append(1000, sample(1));
  history.append(5000, sample(5));
  history.append(6000, sample(6));
  history.load([series('api', [2000, 3000, 5000], { cpu_percent: [2, 3, 50] })]);
  expect(history.of('api')).toMatchObject({ times: [1000, 2000, 3000, 5000, 6000], cpu: [1, 2, 3, 50, 6] });
});

test('an empty record takes nothing away', () => {
  const history = new History();
  history.append(1000, sample(1));
  history.load([series('api', [])]);
  expect(history.of('api').times).toEqual([1000]);
});
