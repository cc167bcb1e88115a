import { expect, test, vi } from 'vitest';

import { Asking } from '../api/asking';
import { Connection } from '../api/connection';
import { FakeCarrier } from '../api/fake';
import type { LogsScan } from '../api/generated';
import { logLine, scanned } from '../forge/fixtures';
import { ALL, type Filter } from './filter';
import { Find } from './find.svelte';
import type { Log } from './log.svelte';

const filter: Filter = { ...ALL, workspace: '/w', environment: 'dev', processes: [] };
const hit = (at: number) => logLine(`needle ${at}`, { at: `1:${at}`, time: `2026-11-21T10:00:0${at}Z` });
const until = (holds: () => void) => vi.waitFor(holds, { timeout: 15_000 });

function finding(answers: ReturnType<typeof scanned>[]) {
  const carrier = new FakeCarrier({
    'logs.scan': () => ({ scan: 1 }),
    'logs.scan.next': () => answers.shift() ?? scanned(),
  });
  const reveal = vi.fn();
  const find = new Find({ following: true, reveal } as unknown as Log, new Asking(() => Connection.open(carrier)));
  find.open = true;
  find.sought.text = 'needle';
  const led = () => reveal.mock.calls.map(([line]) => (line as { text: string }).text);
  return { carrier, find, led };
}

test('hits come bit by bit, newest first; Enter before the first of them waits for it', async () => {
  const { find, led, carrier } = finding([
    scanned({ done: false, scanned_bytes: 1, total_bytes: 4 }),
    scanned({ hits: [hit(9), hit(7)], matched: 2, done: false, scanned_bytes: 2, total_bytes: 4 }),
    scanned({ hits: [hit(3)], matched: 3 }),
  ]);
  const end = find.look(filter);
  find.go(true);
  await until(() => expect([find.done, find.count]).toEqual([true, 3]));
  expect([find.place, led()]).toEqual([0, ['needle 9']]);
  find.go(true);
  find.go(true);
  find.go(true);
  find.go(false);
  expect(led()).toEqual(['needle 9', 'needle 7', 'needle 3', 'needle 9', 'needle 3']);
  expect((carrier.asked('logs.scan')[0] as LogsScan).query).toMatchObject({ grep: 'needle', literal: true });
  end();
});

test('what comes meanwhile is a hit as well, and the place stays at its line', async () => {
  const { find } = finding([scanned({ hits: [hit(2), hit(1)], matched: 2 })]);
  find.look(filter);
  await until(() => expect(find.done).toBe(true));
  find.go(true);
  find.arrived([logLine('nothing'), hit(5)]);
  expect([find.count, find.place]).toEqual([3, 1]);
});

test('with a filter only what it leaves is a hit', async () => {
  const { find, carrier } = finding([scanned({ hits: [hit(2), logLine('needle, other', { at: '1:1' })], matched: 2 })]);
  find.look({ ...filter, text: 'other', invert: true });
  await until(() => expect([find.done, find.count]).toEqual([true, 1]));
  expect((carrier.asked('logs.scan')[0] as LogsScan).query).toMatchObject({ grep: 'needle', invert: false });
});
