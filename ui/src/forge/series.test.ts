import { expect, test } from 'vitest';

import { cost, series } from './fixtures';
import { History, SAMPLES } from './series.svelte';

const sample = (cpu: number) => [cost('api', { cpu_percent: cpu })];

test('a sample comes once, and the oldest go', () => {
  const history = new History();
  for (let second = 1; second <= SAMPLES + 10; second += 1) history.append(second * 1000, sample(second));
  history.append((SAMPLES + 8) * 1000, sample(1));
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

test('a clock that is set back takes away what had come by it', () => {
  const history = new History();
  const machine = { cpu_percent: 10, cores: 2, memory_used_bytes: 5, memory_total_bytes: 9, hogs: [] };
  for (const second of [1, 2, 3600, 3601]) history.append(second * 1000, sample(second), machine);
  history.append(3000, sample(3), machine);
  expect(history.of('api')).toMatchObject({ times: [1000, 2000, 3000], cpu: [1, 2, 3] });
  expect([history.last, history.machine.times]).toEqual([3000, [1000, 2000, 3000]]);
});

test('an empty record takes nothing away', () => {
  const history = new History();
  history.append(1000, sample(1));
  history.load([series('api', [])]);
  expect(history.of('api').times).toEqual([1000]);
});

test('figures of its own begin when they come, and every column stays as long as the times', () => {
  const history = new History(3);
  const pool = { name: 'pool', unit: 'number', maximum: 20, problem: null } as const;
  history.append(1000, sample(1));
  history.append(2000, [cost('api', { gauges: [{ ...pool, value: 7 }] })]);
  history.append(3000, sample(3));
  expect(history.of('api').gauges.get('pool')).toEqual({ unit: 'number', values: [null, 7, null] });
  history.append(4000, sample(4));
  history.load([series('api', [4000, 5000], { gauges: [{ name: 'hits', unit: 'percent', values: [90, 91] }] })]);
  const { times, gauges } = history.of('api');
  expect(times).toEqual([3000, 4000, 5000]);
  expect([...gauges].map(([name, { values }]) => [name, values])).toEqual([
    ['hits', [null, 90, 91]],
    ['pool', [null, null, null]],
  ]);
});

test('the machine has a record of its own', () => {
  const history = new History();
  history.append(1000, [], { cpu_percent: 10, cores: 2, memory_used_bytes: 5, memory_total_bytes: 9, hogs: [] });
  history.load([], { times_ms: [500], cpu_percent: [1], memory_used_bytes: [2] });
  expect(history.machine).toEqual({ times: [500, 1000], cpu: [1, 10], memory: [2, 5] });
});
