import { expect, test } from 'vitest';

import { asked, heard } from './filter';

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
