import { expect, test } from 'vitest';

import { Failure } from '../api/failure';
import { conflictsIn, conflictsOfNotice } from './conflicts';

const line = 'api needs 3000: node (PID 8432), user me, started 2 h 5 min ago: npm run dev -- --port=3000: now';

test('a notice names process, port, holder, user and command', () => {
  expect(conflictsIn(line, '/shop')).toEqual([
    {
      process: 'api',
      port: 3000,
      pid: 8432,
      holder: 'node (PID 8432)',
      command: 'npm run dev -- --port=3000: now',
      user: 'me',
      started_at: null,
      service: null,
      next: null,
    },
  ]);
});

test.each([
  ['db needs 5432: postgres (PID 7)', { pid: 7, holder: 'postgres (PID 7)', command: null }],
  ['db needs 5432: postgres (PID 7), user 999', { pid: 7, holder: 'postgres (PID 7)', user: '999', command: null }],
  [
    'db needs 5432: dev/db (postgres, PID 7), user me, started 2 h ago: postgres -D data',
    { pid: 7, command: 'postgres -D data', service: { workspace: '/shop', environment: 'dev', process: 'db' } },
  ],
  [
    'db needs 5432: dev/db of /home/a b (postgres, PID 7)',
    { pid: 7, command: null, service: { workspace: '/home/a b', environment: 'dev', process: 'db' } },
  ],
  ['db needs 5432: a process of user 0', { pid: null, holder: 'a process of user 0', command: null }],
])('%j is understood as far as it goes', (body, known) => expect(conflictsIn(body, '/shop')).toMatchObject([known]));

test('what is no conflict is none', () => expect(conflictsIn('something else\n', '/shop')).toEqual([]));

test('what was refused here is told as it was then', () => {
  const refused = (pid: number) =>
    new Failure({
      code: 'port_conflict',
      message: 'port 3000 is in use',
      details: { conflicts: [{ process: 'api', port: 3000, pid, holder: 'node', command: 'npm', user: 'her' }] },
    });
  expect(conflictsOfNotice(line, '/shop', refused(8432))).toMatchObject([{ pid: 8432, user: 'her' }]);
  expect(conflictsOfNotice(line, '/shop', refused(1))).toMatchObject([{ pid: 8432, user: 'me' }]);
});
