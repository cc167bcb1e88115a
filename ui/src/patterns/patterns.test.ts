import { expect, test } from 'vitest';

import type { LogPattern } from '../api/generated';
import { containing, ordered } from './patterns.svelte';

const pattern = (template: string, more: Partial<LogPattern>): LogPattern => ({
  template,
  environment: 'dev',
  process: 'api',
  level: 'info',
  count: 1,
  first: '2026-11-21T10:00:00Z',
  last: '2026-11-21T10:00:00Z',
  new: false,
  example: template,
  at: '1:0',
  regex: template,
  over_time: [],
  ...more,
});
const all = [
  pattern('often', { count: 90, level: null }),
  pattern('GET <*> took <*>', { count: 3, last: '2026-11-21T11:00:00Z' }),
  pattern('pool exhausted', { level: 'error', count: 2, first: '2026-11-21T10:30:00Z' }),
  pattern('queue full', { level: 'error', count: 7, process: 'worker' }),
];
const templates = (patterns: LogPattern[]) => patterns.map(({ template }) => template);

test.each([
  ['level', ['queue full', 'pool exhausted', 'often', 'GET <*> took <*>']],
  ['count', ['often', 'queue full', 'GET <*> took <*>', 'pool exhausted']],
  ['last', ['GET <*> took <*>', 'often', 'pool exhausted', 'queue full']],
  ['first', ['pool exhausted', 'often', 'GET <*> took <*>', 'queue full']],
] as const)('by %s', (order, expected) => expect(templates(ordered(all, order))).toEqual(expected));

test('found by words of the template and the process', () => {
  expect(templates(containing(all, 'took get'))).toEqual(['GET <*> took <*>']);
  expect(templates(containing(all, 'worker'))).toEqual(['queue full']);
  expect(containing(all, ' ')).toHaveLength(4);
});
