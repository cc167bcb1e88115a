// @vitest-environment jsdom
import { afterEach, expect, test, vi } from 'vitest';

import type { Carrier } from '../api/carrier';
import { Connection } from '../api/connection';
import { FakeCarrier } from '../api/fake';
import { Failure } from '../api/failure';
import type { LogLine, LogsRead, LogsReadAnswer } from '../api/generated';
import { answer, logLine } from '../forge/fixtures';
import { ALL, type Filter } from './filter';
import { Log, type Start } from './log.svelte';

const filter: Filter = { ...ALL, workspace: '/w', environment: 'dev', processes: [] };
const begun = Date.parse('2026-11-21T10:00:00Z');
const timeOf = (at: number) => new Date(begun + at * 1000).toISOString();
const line = (at: number): LogLine => logLine(`line ${at}`, { at: `1:${at}`, time: timeOf(at) });
const until = (holds: () => void) => vi.waitFor(holds, { timeout: 15_000 });

/** A stored log of so many lines, a second apart, that answers as the supervisor does. */
function stored(count: number, hurried = 0) {
  const lines = Array.from({ length: count }, (_, at) => line(at));
  let waiting: ((answer: LogsReadAnswer) => void) | null = null;
  const placeOf = ({ cursor, anchor }: LogsRead): number => {
    if (cursor !== null) return Number(cursor);
    if (anchor === null || anchor === 'end') return anchor === null ? 0 : lines.length;
    if ('line' in anchor) return Number(anchor.line.at.split(':')[1]);
    const found = lines.findIndex(({ time }) => Date.parse(time) >= Date.parse(anchor.time));
    return found < 0 ? lines.length : found;
  };
  const read = (request: LogsRead): LogsReadAnswer | Promise<LogsReadAnswer> => {
    const at = placeOf(request);
    if (request.backward) {
      const from = Math.max(0, at - (request.max_lines ?? 1000));
      const more = { cursor: String(from), previous: String(from), next: String(at), at_end: from === 0 };
      return { ...answer([], more), lines: lines.slice(from, at) };
    }
    // A busy machine: the time is over before the first line.
    if (hurried > 0 && !request.wait) {
      hurried -= 1;
      return answer([], { cursor: String(at), previous: String(at), next: String(at), at_end: false });
    }
    const end = Math.min(lines.length, at + (request.max_lines ?? 2000));
    const more = { cursor: String(end), previous: String(at), next: String(end), at_end: end === lines.length };
    return { ...answer([], more), lines: lines.slice(at, end) };
  };
  const carrier = new FakeCarrier({ 'logs.read': read });
  /** What waits is answered as soon as there is more. */
  const open = async () => {
    const connection = await Connection.open(carrier);
    const call = connection.call.bind(connection);
    connection.call = ((method: 'logs.read', request: LogsRead) => {
      if (!request.wait || placeOf(request) < lines.length) return call(method, request);
      return new Promise((resolve) => (waiting = () => resolve(read({ ...request, wait: false }) as never)));
    }) as typeof connection.call;
    return connection;
  };
  const write = (more: number) => {
    for (let at = 0; at < more; at += 1) lines.push(line(lines.length));
    const wake = waiting;
    waiting = null;
    wake?.(answer([]));
  };
  return { open, write, carrier };
}

let log: Log;
afterEach(() => log.end());

function reading(count: number, start: Start = 'end', lead = false, hurried = 0) {
  const store = stored(count, hurried);
  log = new Log(store.open);
  log.height = 400;
  log.open(filter, start, lead);
  return store;
}

const texts = () => log.lines.slice(log.lines.first, log.lines.next).map(({ line }) => Number(line.text.slice(5)));
const withoutGap = () => {
  const all = texts();
  return all.every((number, at) => number === (all[0] ?? 0) + at);
};

test('it begins with the newest, and follows', async () => {
  const { write } = reading(10_000);
  await until(() => expect(texts().at(-1)).toBe(9999));
  expect(texts().length).toBeLessThan(1000);
  await until(() => expect(log.atEnd).toBe(true));
  await new Promise((wake) => setTimeout(wake));
  write(3);
  await until(() => expect(texts().at(-1)).toBe(10_002));
  expect([withoutGap(), log.following, log.unseen.count]).toEqual([true, true, 0]);
});

test('whoever scrolls up reads older lines, all of them, and not everything stays', async () => {
  reading(30_000);
  await until(() => expect(log.loaded).toBe(true));
  log.pause();
  for (let page = 0; page < 12; page += 1) {
    const before = log.lines.first;
    log.moved(0);
    await until(() => expect(log.lines.first).toBeLessThan(before));
    const row = log.lines.at(log.top.seq);
    expect(row, 'what is in sight stays loaded').toBeDefined();
  }
  expect(withoutGap()).toBe(true);
  expect(texts().length).toBeLessThan(6000);
  expect(log.atEnd).toBe(false);
  // And down again, through what had gone.
  const oldest = texts()[0] ?? 0;
  for (let page = 0; page < 40 && texts().at(-1) !== 29_999; page += 1) {
    log.moved(log.lines.height - 400);
    await new Promise((wake) => setTimeout(wake, 30));
  }
  await until(() => expect(texts().at(-1)).toBe(29_999));
  expect([withoutGap(), (texts()[0] ?? 0) > oldest, texts().length < 9000]).toEqual([true, true, true]);
});

test('what comes while one reads is counted, and pushes nothing away', async () => {
  const { write } = reading(500);
  await until(() => expect(log.atEnd).toBe(true));
  log.pause();
  log.moved(log.lines.topOf(log.lines.next - 100));
  const [top] = [log.lines.at(log.top.seq)?.line.text];
  await new Promise((wake) => setTimeout(wake));
  write(7);
  await until(() => expect(log.unseen).toEqual({ count: 7, more: false }));
  expect(log.lines.at(log.top.seq)?.line.text).toBe(top);
  log.follow();
  expect([log.following, log.unseen.count]).toEqual([true, 0]);
});

test('of a flood only so much is kept for who reads above it, and End leads to the newest at once', async () => {
  const { write } = reading(500);
  await until(() => expect(log.atEnd).toBe(true));
  log.pause();
  log.moved(0);
  const onTop = log.lines.at(log.top.seq)?.line.text;
  for (let round = 0; round < 20; round += 1) {
    await new Promise((wake) => setTimeout(wake, 5));
    write(1000);
  }
  await until(() => expect(log.unseen.more).toBe(true));
  expect(texts().length).toBeLessThan(8000);
  expect(log.lines.at(log.top.seq)?.line.text, 'what one reads stays, however full').toBe(onTop);
  log.follow();
  await until(() => expect(texts().at(-1)).toBe(20_499));
  expect([withoutGap(), log.following]).toEqual([true, true]);
});

test.each([
  ['a line', { line: { environment: 'dev', process: 'api', at: '1:5000' } }],
  ['a moment', { time: timeOf(5000) }],
] as [string, Start][])('it opens at %s, which is marked, with what is before and behind it', async (_, start) => {
  reading(10_000, start, true);
  await until(() => expect(log.current?.line.text).toBe('line 5000'));
  expect([withoutGap(), (texts()[0] ?? 0) < 4900, (texts().at(-1) ?? 0) > 5100]).toEqual([true, true, true]);
  expect(log.following).toBe(false);
});

test('it is waited for where an answer came without a line', async () => {
  reading(10_000, { line: { environment: 'dev', process: 'api', at: '1:5000' } }, true, 3);
  await until(() => expect(log.current?.line.text).toBe('line 5000'));
});

test('a line that is not among those that are shown leads to where it would be', async () => {
  reading(10_000, { line: { environment: 'dev', process: 'other', at: '1:5000' } }, true);
  await until(() => expect(log.lines.at(log.top.seq)?.line.text).toBe('line 5000'));
  expect(log.current).toBeNull();
});

test('a line that is not loaded is brought into sight all the same', async () => {
  reading(10_000);
  await until(() => expect(log.loaded).toBe(true));
  await log.reveal(line(42));
  expect(log.current?.line.text).toBe('line 42');
  await log.reveal(line(44));
  expect(log.current?.line.text).toBe('line 44');
  log.follow();
  await until(() => expect(texts().at(-1)).toBe(9999));
});

test('what is opened is not mixed with what was being read before it', async () => {
  reading(30_000);
  await until(() => expect(log.loaded).toBe(true));
  log.pause();
  log.moved(0);
  const opened = log.toStart();
  log.moved(0);
  log.moved(0);
  await opened;
  await until(() => expect(texts()[0]).toBe(0));
  expect(withoutGap()).toBe(true);
});

test('the nearest line of a kind is asked for from where one is', async () => {
  reading(100);
  await until(() => expect(log.loaded).toBe(true));
  expect((await log.nearest({}, line(50), true))?.text).toBe('line 49');
  expect((await log.nearest({}, line(50), false))?.text).toBe('line 51');
  expect(await log.nearest({}, line(99), false)).toBeNull();
});

test('a refused filter is told', async () => {
  const carrier = new FakeCarrier({
    'logs.read': () => {
      throw new Failure({ code: 'usage', message: 'no such expression' });
    },
  });
  const open = () => Connection.open(carrier);
  log = new Log(open);
  log.open(filter, 'end', false);
  await until(() => expect(log.failure?.code).toBe('usage'));
});

interface Asked {
  request: LogsRead;
  reply(answer: LogsReadAnswer): void;
  connection: { closed: boolean };
}

/** A log whose reads are answered by hand; those of its reader, which only go on, stay without an answer. */
function byHand(text: string) {
  const reads: Asked[] = [];
  const carrier: Carrier = {
    open: (events) => {
      const connection = { closed: false };
      const tell = (id: number, result: unknown) =>
        queueMicrotask(() => connection.closed || events.message({ jsonrpc: '2.0', id, result }));
      const send = (message: object) => {
        const { id, method, params } = message as { id: number; method: string; params: LogsRead };
        if (method === 'hello') tell(id, {});
        else if (params.backward) reads.push({ request: params, reply: (answer) => tell(id, answer), connection });
      };
      return Promise.resolve({ send, close: () => void (connection.closed = true) });
    },
  };
  log = new Log(() => Connection.open(carrier));
  log.height = 400;
  log.open({ ...filter, text }, 'end', false);
  /** The next question, once it is there. */
  let seen = 0;
  const next = async (): Promise<Asked> => {
    await until(() => expect(reads.length).toBeGreaterThan(seen));
    return reads[seen++] as Asked;
  };
  return { next };
}

const nothingYet = answer([], { cursor: '1', previous: '1', next: '1', at_end: false });
const linesUpTo = (end: number, at_end = false) => ({
  ...answer([], { cursor: '1', previous: '1', next: String(end), at_end }),
  lines: Array.from({ length: 30 }, (_, at) => line(end - 30 + at)),
});

test('a changed filter ends the read of the one before, and has patience of its own', async () => {
  const { next } = byHand('rare');
  for (const budget_ms of [50, 100, 200, 400]) {
    const read = await next();
    expect(read.request).toMatchObject({ budget_ms, query: { grep: 'rare' } });
    read.reply(nothingYet);
  }
  const stale = await next();
  expect(stale.connection.closed).toBe(false);
  log.open({ ...filter, text: 'common' }, 'end', false);
  expect(log.lines.next - log.lines.first).toBe(0);
  const fresh = await next();
  expect(stale.connection.closed, 'for a connection that is gone the supervisor looks no further').toBe(true);
  expect(fresh.request).toMatchObject({ budget_ms: 50, query: { grep: 'common' } });
  stale.reply(linesUpTo(100, true));
  fresh.reply(linesUpTo(900));
  await until(() => expect(texts().at(-1)).toBe(899));
  expect([texts()[0], log.atStart, log.failure]).toEqual([870, false, null]);
});

test('when no read is under way, the next filter is asked for over the same connection', async () => {
  const { next } = byHand('one');
  const first = await next();
  first.reply(linesUpTo(100, true));
  await until(() => expect(log.atStart).toBe(true));
  log.open({ ...filter, text: 'two' }, 'end', false);
  const second = await next();
  expect([second.connection === first.connection, second.connection.closed]).toEqual([true, false]);
  second.reply(linesUpTo(200, true));
  await until(() => expect(texts().at(-1)).toBe(199));
  log.end();
  await until(() => expect(second.connection.closed).toBe(true));
});

test('who looks for the nearest line and then opens something else is told nothing of it', async () => {
  const { next } = byHand('');
  (await next()).reply(linesUpTo(100, true));
  await until(() => expect(log.atStart).toBe(true));
  const nearest = log.nearest({ levels: ['error'] }, null, true);
  const looked = await next();
  log.open({ ...filter, text: 'two' }, 'end', false);
  expect(await nearest, 'not that there is none').toBeUndefined();
  expect([looked.connection.closed, log.failure]).toEqual([true, null]);
});

test('the first page is there when it fills what is in sight, or nothing more is stored', async () => {
  const { next } = byHand('rare');
  let there = 0;
  void log.firstPage().then(() => (there += 1));
  (await next()).reply(nothingYet);
  const second = await next();
  expect([log.loaded, there]).toEqual([true, 0]);
  second.reply(linesUpTo(100));
  await until(() => expect(there).toBe(1));
  await log.firstPage();

  log.open({ ...filter, text: 'rarer' }, 'end', false);
  void log.firstPage().then(() => (there += 1));
  (await next()).reply(nothingYet);
  const last = await next();
  expect(there).toBe(1);
  last.reply({ ...nothingYet, at_end: true });
  await until(() => expect(there).toBe(2));
});
