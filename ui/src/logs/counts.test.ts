import { afterEach, expect, test, vi } from 'vitest';

import { Asking } from '../api/asking';
import { Connection } from '../api/connection';
import { FakeCarrier } from '../api/fake';
import type { LogQuery, LogsScan } from '../api/generated';
import { scanned } from '../forge/fixtures';
import { LevelCounter } from './counts.svelte';
import { ALL, type Filter } from './filter';

const filter: Filter = { ...ALL, workspace: '/w', environment: 'dev', processes: [], levels: ['error'] };
const one = { environment: 'dev', process: 'api', error: 1, warn: 0, info: 0, debug: 0, trace: 0, unstated: 2 };
let end = () => {};
afterEach(() => {
  end();
  vi.useRealTimers();
});

/** Counts with a clock of its own. */
function counting(more: Partial<Filter>, ready = Promise.resolve()) {
  vi.useFakeTimers({ now: Date.parse('2026-11-21T10:00:00Z') });
  vi.stubGlobal('document', { hidden: false });
  const carrier = new FakeCarrier({
    'logs.scan': () => ({ scan: 1 }),
    'logs.scan.next': () => scanned({ counts: [{ ...one, errors_over_time: [] }] }),
  });
  const counter = new LevelCounter(new Asking(() => Connection.open(carrier)));
  end = counter.count({ ...filter, ...more }, ready);
  const queries = (): LogQuery[] => (carrier.asked('logs.scan') as LogsScan[]).map(({ query }) => query);
  return { counter, queries };
}

test('first all is counted, whatever levels are shown, then what came since, and no line twice', async () => {
  const { counter, queries } = counting({ stream: 'stderr', run: 2 });
  await vi.advanceTimersByTimeAsync(2500);
  const [first, second] = queries();
  expect(first).toMatchObject({
    levels: [],
    stream: 'stderr',
    run: 2,
    since: null,
    until: '2026-11-21T09:59:59.500999999Z',
  });
  expect(second).toMatchObject({ stream: 'stderr', run: 2, since: '2026-11-21T09:59:59.501Z' });
  expect(counter.counts).toMatchObject({ error: 2, info: 4 });
});

test('what is over is counted once, within its time', async () => {
  const [since, until] = [Date.parse('2026-11-21T09:00:00Z'), Date.parse('2026-11-21T09:30:00Z')];
  const { counter, queries } = counting({ since, until });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(queries().map(({ since, until }) => [since, until])).toEqual([
    ['2026-11-21T09:00:00.000Z', '2026-11-21T09:30:00.000999999Z'],
  ]);
  expect([counter.done, counter.counts.error]).toEqual([true, 1]);
});

test('what lies ahead begins where it begins, and ends where it ends', async () => {
  const [since, until] = [Date.parse('2026-11-21T10:00:03Z'), Date.parse('2026-11-21T10:00:05Z')];
  const { queries } = counting({ since, until });
  await vi.advanceTimersByTimeAsync(20_000);
  expect(queries().every((query) => (query.since ?? '') >= '2026-11-21T10:00:03.000Z')).toBe(true);
  expect(queries().at(-1)?.until).toBe('2026-11-21T10:00:05.000999999Z');
});

test('nothing is counted before somebody has something to read, and nothing when it is too late', async () => {
  let be = () => {};
  const ready = new Promise<void>((resolve) => (be = resolve));
  const { counter, queries } = counting({}, ready);
  await vi.advanceTimersByTimeAsync(10_000);
  expect([queries().length, counter.done]).toEqual([0, false]);
  be();
  await vi.advanceTimersByTimeAsync(10);
  expect([queries().length, counter.done]).toEqual([1, true]);
  end();
  end = counter.count({ ...filter, run: 2 }, new Promise<void>((resolve) => (be = resolve)));
  end();
  be();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(queries().length).toBe(1);
});
