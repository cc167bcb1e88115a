import { expect, test, vi } from 'vitest';

import { Connection } from '../api/connection';
import { FakeCarrier } from '../api/fake';
import { Failure } from '../api/failure';
import type { LogLine, LogsRead } from '../api/generated';
import { logLine } from '../forge/fixtures';
import { queryOf } from './query';
import { Reader } from './reader';

const query = queryOf({ workspace: '/w', environment: 'dev', processes: [], level: null, text: '', regex: false });

const until = (holds: () => void) => vi.waitFor(holds, { timeout: 15_000 });

function reading(answer: (request: LogsRead) => unknown, room: () => boolean = () => true) {
  const carrier = new FakeCarrier({ 'logs.read': answer });
  const seen: LogLine[] = [];
  const events = {
    lines: (lines: LogLine[]) => void seen.push(...lines),
    skipped: vi.fn(),
    failed: vi.fn(),
    hasRoom: room,
    now: () => Date.parse('2026-11-21T10:00:00Z') + 60_000,
  };
  const reader = new Reader(() => Connection.open(carrier), query, events);
  return { carrier, seen, events, reader };
}

test('the first read does not wait, the next go on from there and do', async () => {
  let page = 0;
  const { carrier, reader, seen } = reading(
    () => ({ lines: [logLine(`page ${page}`)], cursor: String(++page), at_end: true }),
    () => page < 3,
  );
  reader.go();
  await until(() => expect(seen).toHaveLength(3));
  const asked = carrier.asked('logs.read') as LogsRead[];
  expect(asked.map(({ cursor, wait }) => [cursor, wait])).toEqual([
    [null, false],
    ['1', true],
    ['2', true],
  ]);
});

test('without room nothing is asked, until it goes on', async () => {
  let room = false;
  let page = 0;
  const { carrier, reader, seen } = reading(
    () => {
      room = false;
      return { lines: [logLine('x')], cursor: String(++page), at_end: true };
    },
    () => room,
  );
  reader.go();
  await Promise.resolve();
  expect(carrier.asked('logs.read')).toHaveLength(0);
  room = true;
  reader.go();
  await until(() => expect(seen).toHaveLength(1));
});

test('whoever falls too far behind begins at the newest again', async () => {
  let page = 0;
  const { carrier, events, reader } = reading(
    // At the end once, and from then on never again.
    () => ({ lines: [logLine('old')], cursor: String(++page), at_end: page === 1 }),
    () => page < 12,
  );
  reader.go();
  await until(() => expect(events.skipped).toHaveBeenCalledOnce());
  await until(() => expect(page).toBe(12));
  expect((carrier.asked('logs.read') as LogsRead[]).filter(({ cursor }) => cursor === null)).toHaveLength(2);
});

test('an old log that is long is read to its end, not skipped', async () => {
  let page = 0;
  const { events, reader, seen } = reading(
    () => ({ lines: [logLine('old')], cursor: String(++page), at_end: page === 40 }),
    () => page < 40,
  );
  reader.go();
  await until(() => expect(seen).toHaveLength(40));
  expect(events.skipped).not.toHaveBeenCalled();
});

test('a refused query is told, and not asked again', async () => {
  const { carrier, events, reader } = reading(() => {
    throw new Failure({ code: 'usage', message: 'no such expression' });
  });
  reader.go();
  await until(() => expect(events.failed).toHaveBeenCalledOnce());
  expect(carrier.asked('logs.read')).toHaveLength(1);
});
