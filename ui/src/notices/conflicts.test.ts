import { expect, test } from 'vitest';

import { Failure } from '../api/failure';
import { conflictsIn, conflictsOfNotice } from './conflicts';

const line = 'api needs 3000: node (PID 8432), started 2 h 5 min ago: npm run dev -- --port=3000: now';

test('a notice names process, port, holder and command', () => {
  expect(conflictsIn(line)).toEqual([
    {
      process: 'api',
      port: 3000,
      pid: 8432,
      holder: 'node (PID 8432)',
      command: 'npm run dev -- --port=3000: now',
      user: null,
      next: null,
    },
  ]);
});

test.each([
  ['db needs 5432: postgres (PID 7)', { pid: 7, holder: 'postgres (PID 7)', command: null }],
  ['db needs 5432: a process of user 0', { pid: null, holder: 'a process of user 0', command: null }],
])('%j is understood as far as it goes', (body, known) => expect(conflictsIn(body)).toMatchObject([known]));

test('what is no conflict is none', () => expect(conflictsIn('something else\n')).toEqual([]));

test('the user is known where the same was refused here', () => {
  const refused = (pid: number) =>
    new Failure({
      code: 'port_conflict',
      message: 'port 3000 is in use',
      details: { conflicts: [{ process: 'api', port: 3000, pid, holder: 'node', command: 'npm', user: 1000 }] },
    });
  expect(conflictsOfNotice(line, refused(8432))).toMatchObject([{ pid: 8432, user: '1000' }]);
  expect(conflictsOfNotice(line, refused(1))).toMatchObject([{ pid: 8432, user: null }]);
});
