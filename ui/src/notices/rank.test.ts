import { expect, test } from 'vitest';

import { notice } from '../forge/fixtures';
import { ranked } from './rank';

const all = [
  notice('ready', { kind: 'ready' }),
  notice('old crash', { time: '2026-11-21T09:00:00.000Z' }),
  notice('crash'),
  notice('loop', { kind: 'crash_loop' }),
];

test('the worst is on top, the newer before the older', () => {
  expect(ranked(all).map(({ id }) => id)).toEqual(['loop', 'crash', 'old crash', 'ready']);
});

test('what the reader came for is before all', () => {
  expect(ranked(all, 'ready')[0]?.id).toBe('ready');
});
