import { expect, test } from 'vitest';

import { ALL, asked, heard, isOver, queryOf, SETTLED, type Filter } from './filter';

test('muted and solo processes', () => {
  const all = ['api', 'db', 'web'];
  expect(heard(all, [], [])).toEqual(all);
  expect(heard(all, ['db'], [])).toEqual(['db']);
  expect(heard(all, [], ['db'])).toEqual(['api', 'web']);
  expect(heard(all, ['db'], ['db'])).toEqual([]);
});

test('all processes are asked for by naming none, and one process by its name however many there are', () => {
  expect(asked(['api', 'db'], ['api', 'db'], undefined)).toEqual([]);
  expect(asked(['api', 'db'], ['api'], undefined)).toEqual(['api']);
  for (const known of [[], ['api'], ['api', 'db']]) expect(asked(known, ['api'], 'api')).toEqual(['api']);
});

const filter: Filter = { ...ALL, workspace: '/w', environment: 'dev', processes: [] };

test('stream, run and time range are asked for, beside the rest', () => {
  const [since, until] = [Date.parse('2026-11-21T10:00:00.250Z'), Date.parse('2026-11-21T10:05:00Z')];
  expect(queryOf({ ...filter, text: 'x', levels: ['warn'], stream: 'stderr', run: 3, since, until })).toMatchObject({
    names: ['dev'],
    grep: 'x',
    levels: ['warn'],
    stream: 'stderr',
    run: 3,
    since: '2026-11-21T10:00:00.250Z',
    // A line of that millisecond is shown as of that time: it belongs to it.
    until: '2026-11-21T10:05:00.000999999Z',
  });
  expect(queryOf(filter)).toMatchObject({ stream: null, run: null, since: null, until: null });
});

test('it is over when the time is over, or another run has begun', () => {
  const now = 1_000_000;
  expect(isOver(filter, 3, now)).toBe(false);
  expect(isOver({ ...filter, until: now + 1 }, 3, now)).toBe(false);
  expect(isOver({ ...filter, until: now - SETTLED }, 3, now), 'its last lines may come yet').toBe(false);
  expect(isOver({ ...filter, until: now - SETTLED - 1 }, 3, now)).toBe(true);
  expect(isOver({ ...filter, run: 3 }, 3, now)).toBe(false);
  expect(isOver({ ...filter, run: 2 }, 3, now)).toBe(true);
});
