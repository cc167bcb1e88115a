import { expect, test } from 'vitest';

import { conflictsOf, diagnosticsOf, Failure } from './failure';

test('details are read as far as they are what they should be', () => {
  const conflict = {
    process: 'web',
    port: 3000,
    pid: 8432,
    holder: 'node',
    command: 'node x.js',
    user: 'her',
    next: 3001,
  };
  expect(conflictsOf({ details: { conflicts: [conflict, 'odd'] } })).toEqual([conflict]);
  expect(diagnosticsOf({ details: { diagnostics: [{ file: 'f', line: 2, message: 'm' }] } })).toMatchObject([
    { line: 2, source: '', help: null },
  ]);
  expect(conflictsOf({ details: null })).toEqual([]);
  expect(diagnosticsOf({ details: ['x'] })).toEqual([]);
});

test('whatever is thrown can be shown', () => {
  expect(Failure.from(new Error('gone')).message).toBe('gone');
  expect(Failure.from('odd').message).toBe('odd');
});
