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
    started_at: '2026-11-21T10:00:00.000Z',
    service: { workspace: '/shop', environment: 'dev', process: 'api' },
    next: 3001,
  };
  expect(conflictsOf({ details: { conflicts: [conflict, 'odd'] } })).toEqual([conflict]);
  expect(conflictsOf({ details: { conflicts: [{ service: { workspace: '/shop' } }] } })).toMatchObject([
    { service: null },
  ]);
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
