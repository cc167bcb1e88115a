import { expect, test, vi } from 'vitest';

import { Connection } from '../api/connection';
import { FakeCarrier } from '../api/fake';
import { Failure } from '../api/failure';
import type { LogsRead, LogsReadAnswer } from '../api/generated';
import { logQuery } from '../api/requests';
import { answer } from '../forge/fixtures';
import { Reader } from './reader';

const query = logQuery('/w', ['dev']);

const until = (holds: () => void) => vi.waitFor(holds, { timeout: 15_000 });

function reading(
  reply: (request: LogsRead) => unknown,
  room: () => boolean = () => true,
  follows = true,
  over = false,
) {
  const carrier = new FakeCarrier({ 'logs.read': reply });
  const seen: LogsReadAnswer[] = [];
  const events = {
    took: (one: LogsReadAnswer) => void seen.push(one),
    late: vi.fn(),
    failed: vi.fn(),
    rest: vi.fn(() => 0),
    hasRoom: room,
    follows: () => follows,
    isOver: () => over,
  };
  const reader = new Reader(() => Connection.open(carrier), query, { cursor: 'begin', anchor: null }, events);
  return { carrier, seen, events, reader };
}

test('it reads on from where it was, and waits once it has been at the end', async () => {
  let page = 0;
  const { carrier, reader, seen } = reading(
    () => answer([`page ${page}`], { next: String(++page), at_end: page > 1 }),
    () => page < 3,
  );
  reader.go();
  await until(() => expect(seen).toHaveLength(3));
  const asked = carrier.asked('logs.read') as LogsRead[];
  expect(asked.map(({ cursor, wait }) => [cursor, wait])).toEqual([
    ['begin', false],
    ['1', false],
    ['2', true],
  ]);
});

test('without room nothing is asked, until it goes on', async () => {
  let room = false;
  const { carrier, reader, seen } = reading(
    () => {
      room = false;
      return answer(['x']);
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

test('whoever follows and cannot keep up is told, and reads nothing that nobody sees', async () => {
  let page = 0;
  const { carrier, events, reader } = reading(() => answer(['old'], { next: String(++page), at_end: false }));
  reader.go();
  await until(() => expect(events.late).toHaveBeenCalledOnce());
  expect(carrier.asked('logs.read').length).toBeLessThan(8);
});

test('a flood leaves the page alone between two answers, a few lines come at once', async () => {
  let page = 0;
  const flood = Array.from({ length: 60 }, (_, index) => `line ${index}`);
  const { events, reader, seen } = reading(
    () => answer(page % 2 === 0 ? flood : ['one'], { next: String(++page) }),
    () => page < 6,
  );
  reader.go();
  await until(() => expect(seen).toHaveLength(6));
  expect(events.rest).toHaveBeenCalledTimes(3);
});

test('whoever does not follow gets every line', async () => {
  let page = 0;
  const { events, reader, seen } = reading(
    () => answer(['old'], { next: String(++page), at_end: page === 40 }),
    () => page < 40,
    false,
  );
  reader.go();
  await until(() => expect(seen).toHaveLength(40));
  expect(events.late).not.toHaveBeenCalled();
});

test('a refused query is told, and not asked again', async () => {
  const { carrier, events, reader } = reading(() => {
    throw new Failure({ code: 'usage', message: 'no such expression' });
  });
  reader.go();
  await until(() => expect(events.failed).toHaveBeenCalledOnce());
  expect(carrier.asked('logs.read')).toHaveLength(1);
});

test('of what is over it reads all, and waits for nothing', async () => {
  let page = 0;
  const { carrier, reader, seen } = reading(
    () => answer([`page ${page}`], { next: String(++page), at_end: page > 1 }),
    () => true,
    true,
    true,
  );
  reader.go();
  await until(() => expect(seen).toHaveLength(2));
  reader.go();
  await new Promise((wake) => setTimeout(wake));
  expect((carrier.asked('logs.read') as LogsRead[]).map(({ wait }) => wait)).toEqual([false, false]);
});
