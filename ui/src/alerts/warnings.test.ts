import { expect, test } from 'vitest';

import type { Warning } from '../api/generated';
import { notice } from '../forge/fixtures';
import { isMutable, keyed, mutedOnes, toldUnhealthy, untold } from './warnings';

const warning = (kind: string, text: string, process: string | null = 'api'): Warning => ({
  process,
  kind,
  text,
  since: null,
  muted: false,
});

test('what the row or a notice tells is not told again', () => {
  const warnings = ['unhealthy', 'configuration', 'crash_loop', 'outdated'].map((kind) => warning(kind, kind));
  const grows = warning('memory_growth', '50 MB more in 10 min');
  const notices = [
    notice('a', { kind: 'crash_loop' }),
    notice('b', { kind: 'alert', summary: 'api grows', body: '50 MB more in 10 min' }),
  ];
  expect(untold([...warnings, grows], notices).map(({ kind }) => kind)).toEqual(['outdated']);
});

test('a warning whose words have gone on is still the one that a notice tells of', () => {
  const since = '2026-11-20T10:00:00Z';
  const grows = { ...warning('memory_growth', 'memory +90 MB in 10 min, now 4 GB'), since };
  const told = notice('a', { kind: 'alert', time: since, body: 'memory +50 MB in 10 min, now 421 MB' });
  expect(untold([grows], [told])).toEqual([]);
  expect(untold([grows], [{ ...told, time: '2026-11-20T09:00:00Z' }])).toHaveLength(1);
});

test('a notice of another process takes nothing away', () => {
  const grows = warning('memory_growth', '50 MB more');
  const other = notice('a', { kind: 'alert', process: 'web', body: '50 MB more' });
  expect(untold([grows, warning('crash_loop', '')], [other, notice('b', { kind: 'crash' })])).toHaveLength(2);
});

test('what is measured can be muted, what has to be done cannot', () => {
  expect(['memory_growth', 'hog', 'slow'].every((kind) => isMutable(warning(kind, '')))).toBe(true);
  expect(['outdated', 'configuration', 'port_held'].some((kind) => isMutable(warning(kind, '')))).toBe(false);
});

test('whose ill health is told', () => {
  const notices = [notice('1', { kind: 'unhealthy', process: 'api' }), notice('2', { process: 'web' })];
  expect([...toldUnhealthy(notices)]).toEqual(['api']);
});

test('what is muted is listed also while there is nothing of it', () => {
  const now = { ...warning('cpu', 'uses much'), muted: true };
  const kinds = [
    { process: 'api', kind: 'cpu' },
    { process: null, kind: 'hog' },
  ];
  expect(mutedOnes([now, warning('slow', '3 slow requests')], kinds)).toEqual([
    now,
    {
      process: null,
      kind: 'hog',
      text: 'what takes most of the machine: nothing at present',
      since: null,
      muted: true,
    },
  ]);
  expect(mutedOnes([], [{ process: 'api', kind: 'new' }])[0]?.text).toBe('new: nothing at present');
});

test('a row stays the same row while its words change', () => {
  const keys = (figures: number[]) =>
    keyed([...figures.map((figure) => warning('grew', `${figure} KB`)), warning('grew', '', 'web')]).map(
      ({ key }) => key,
    );
  expect(keys([1, 2])).toEqual(keys([3, 4]));
  expect(new Set(keys([1, 1])).size).toBe(3);
});
