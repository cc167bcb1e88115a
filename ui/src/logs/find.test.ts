import { afterEach, expect, test, vi } from 'vitest';

import { Asking } from '../api/asking';
import { Connection } from '../api/connection';
import { FakeCarrier, type Answers } from '../api/fake';
import { Failure } from '../api/failure';
import type { LogLine, LogQuery, LogsScan, LogsScanAnswer } from '../api/generated';
import { logLine, scanned } from '../forge/fixtures';
import { ALL, type Filter } from './filter';
import { Find, HITS } from './find.svelte';
import type { Log } from './log.svelte';

const filter: Filter = { ...ALL, workspace: '/w', environment: 'dev', processes: [] };
const begun = Date.parse('2026-11-21T10:00:00Z');
const line = (text: string, at: number) =>
  logLine(text, { at: `1:${at}`, time: new Date(begun + at * 1000).toISOString() });
const hit = (at: number) => line(`needle ${at}`, at);
const until = (holds: () => void) => vi.waitFor(holds, { timeout: 15_000 });

let end = () => {};
afterEach(() => end());

function finding(answers: Answers, text = 'needle', regex = false) {
  const carrier = new FakeCarrier({ 'logs.scan': () => ({ scan: 1 }), ...answers });
  const reveal = vi.fn();
  const find = new Find({ following: true, reveal } as unknown as Log, new Asking(() => Connection.open(carrier)));
  find.open = true;
  Object.assign(find.sought, { text, regex });
  const led = () => reveal.mock.calls.map(([line]) => (line as { text: string }).text);
  const asked = (slot: string) => (carrier.asked('logs.scan') as LogsScan[]).filter((scan) => scan.slot === slot);
  return { find, led, asked };
}

/** Answers one after another. */
const inTurn = (...answers: LogsScanAnswer[]): Answers => ({ 'logs.scan.next': () => answers.shift() ?? scanned() });

/** Expressions as the supervisor has them: beyond JavaScript's, `(?i)` at the beginning and `(?P<name>…)`. */
function tells({ text, literal, ignore_case }: { text: string; literal: boolean; ignore_case: boolean }) {
  if (literal)
    return (line: LogLine) =>
      ignore_case ? line.text.toLowerCase().includes(text.toLowerCase()) : line.text.includes(text);
  const flag = text.startsWith('(?i)');
  const expression = new RegExp(text.replace('(?i)', '').replaceAll('(?P<', '(?<'), ignore_case || flag ? 'iu' : 'u');
  return (line: LogLine) => expression.test(line.text);
}

function fits({ grep, within, since, until, ...query }: LogQuery): (line: LogLine) => boolean {
  const sought = tells({ ...query, text: grep ?? '' });
  const among = within && tells(within);
  const inTime = ({ time }: LogLine) =>
    (since === null || Date.parse(time) >= Date.parse(since)) &&
    (until === null || Date.parse(time) <= Date.parse(until));
  return (line) => sought(line) !== query.invert && inTime(line) && (!among || among(line) !== within.invert);
}

/** A supervisor with these lines, and with what is added to them. */
function storing(lines: LogLine[]): Answers {
  const scans: LogsScanAnswer[] = [];
  return {
    'logs.scan': ({ query, max_hits }: LogsScan) => {
      const found = lines.filter(fits(query)).toReversed();
      scans.push(scanned({ hits: found.slice(0, max_hits), matched: found.length }));
      return { scan: scans.length - 1 };
    },
    'logs.scan.next': ({ scan }: { scan: number }) => scans[scan],
  };
}

test('hits come bit by bit, newest first; Enter before the first of them waits for it', async () => {
  const { find, led, asked } = finding(
    inTurn(
      scanned({ done: false, scanned_bytes: 1, total_bytes: 4 }),
      scanned({ hits: [hit(9), hit(7)], matched: 2, done: false, scanned_bytes: 2, total_bytes: 4 }),
      scanned({ hits: [hit(3)], matched: 3 }),
    ),
  );
  end = find.look(filter);
  find.go(true);
  await until(() => expect([find.done, find.count]).toEqual([true, 3]));
  expect([find.place, led()]).toEqual([0, ['needle 9']]);
  find.go(true);
  find.go(true);
  find.go(true);
  find.go(false);
  expect(led()).toEqual(['needle 9', 'needle 7', 'needle 3', 'needle 9', 'needle 3']);
  expect(asked('search')[0]?.query).toMatchObject({ grep: 'needle', literal: true, within: null });
});

test('what comes meanwhile is a hit as well, once, and the place stays at its line', async () => {
  const { find } = finding(inTurn(scanned({ hits: [hit(5), hit(2), hit(1)], matched: 3 })));
  end = find.look(filter);
  // It came before it was looked for, and is found again.
  find.arrived([logLine('nothing'), hit(5)]);
  expect(find.count).toBe(1);
  await until(() => expect([find.done, find.count]).toEqual([true, 3]));
  find.go(true);
  find.arrived([line('nothing', 6), hit(7)]);
  expect([find.count, find.place]).toEqual([4, 1]);
});

test.each([
  [
    { text: 'a.b', regex: false, matchCase: false, invert: false },
    { text: 'a.b', literal: true, ignore_case: true },
  ],
  [
    { text: '(?i)x', regex: true, matchCase: true, invert: true },
    { text: '(?i)x', literal: false, ignore_case: false },
  ],
])('the filter %j goes with what is sought', async (set, within) => {
  const { find, asked } = finding(storing([]));
  end = find.look({ ...filter, ...set, levels: ['warn'], stream: 'stderr', run: 2 });
  await until(() => expect(find.done).toBe(true));
  expect(asked('search')[0]?.query).toMatchObject({
    ...{ grep: 'needle', literal: true, ignore_case: true, invert: false },
    within: { ...within, invert: set.invert },
    ...{ levels: ['warn'], stream: 'stderr', run: 2 },
  });
});

test('within a filter the oldest hit is found behind more matches than one can go to', async () => {
  const common = Array.from({ length: HITS + 50 }, (_, at) => hit(at));
  for (const at of [3, 40]) common[at] = line(`needle ${at}, rare`, at);
  const { find, led } = finding(storing(common));
  end = find.look({ ...filter, text: 'rare' });
  await until(() => expect([find.done, find.count]).toEqual([true, 2]));
  find.go(false);
  expect(led()).toEqual(['needle 3, rare']);
});

test.each([
  ['(?i)OTHER', false, 1],
  ['(?i)OTHER', true, 2],
  ['(?P<what>other|last)', false, 2],
])('a filter %j that no browser understands holds all the same; inverted: %j', async (text, invert, count) => {
  const lines = ['a needle', 'a needle, other', 'a needle, last', 'other'].map(line);
  const { find } = finding(storing(lines));
  end = find.look({ ...filter, text, regex: true, matchCase: true, invert });
  await until(() => expect([find.done, find.count]).toEqual([true, count]));
});

test('more than one can go to are counted, and one goes through the newest', async () => {
  const { find, led } = finding(storing(Array.from({ length: HITS + 5 }, (_, at) => hit(at))));
  end = find.look(filter);
  await until(() => expect([find.done, find.count]).toEqual([true, HITS + 5]));
  find.go(false);
  expect(led()).toEqual(['needle 5']);
});

test.each(['(?i)NEEDLE', '^NEEDLE|^needle', '(?P<it>needle)'])(
  'whether what comes has %j is asked of the supervisor, within the filter',
  async (text) => {
    const stored = [hit(1)];
    const { find, asked } = finding(storing(stored), text, true);
    find.sought.matchCase = true;
    end = find.look({ ...filter, text: '[0-9]', regex: true });
    await until(() => expect([find.done, find.count]).toEqual([true, 1]));
    find.go(true);
    for (const comes of [[hit(5), line('nothing 6', 6)], [hit(7)], [hit(8)]]) {
      stored.push(...comes);
      find.arrived(comes);
    }
    await until(() => expect([find.count, find.place]).toEqual([4, 3]));
    const [first, second, third] = asked('latest').map(({ query }) => query);
    expect(first).toMatchObject({ grep: text, within: { text: '[0-9]' }, since: hit(5).time });
    expect(second?.since, 'what came meanwhile is asked for together').toBe(hit(7).time);
    expect(third).toBeUndefined();
  },
);

test('what could not be asked is asked again', async () => {
  const stored = [hit(1)];
  const answers = storing(stored);
  const { find, asked } = finding(
    {
      ...answers,
      'logs.scan': (scan: LogsScan) => {
        if (asked('latest').length === 1) throw new Failure({ code: 'no_supervisor', message: 'gone' });
        return (answers['logs.scan'] as (scan: LogsScan) => unknown)(scan);
      },
    },
    'needle',
    true,
  );
  end = find.look(filter);
  await until(() => expect([find.done, find.count]).toEqual([true, 1]));
  stored.push(hit(2));
  find.arrived([hit(2)]);
  await until(() => expect(find.count).toBe(2));
  expect(asked('latest').length).toBe(2);
});

test('a line that was cut on its way is not judged by what is left of it', async () => {
  const long = 'x'.repeat(1 << 20);
  const stored = [hit(1)];
  const { find } = finding(storing(stored));
  end = find.look(filter);
  await until(() => expect([find.done, find.count]).toEqual([true, 1]));
  stored.push(line(`${long} needle`, 2));
  find.arrived([line(long, 2)]);
  await until(() => expect(find.count).toBe(2));
});

test('whoever comes back to the end is told of the hits that came while nobody read there', async () => {
  const lines = [hit(1)];
  const { find, asked } = finding(storing(lines));
  end = find.look(filter);
  await until(() => expect([find.done, find.count]).toEqual([true, 1]));
  const now = new Date().toISOString();
  lines.push(logLine('needle meanwhile', { at: '2:1', time: now }), logLine('hay', { at: '2:2', time: now }));
  find.returned();
  await until(() => expect(find.count).toBe(2));
  find.returned();
  await until(() => expect(asked('latest').length).toBeGreaterThan(1));
  expect(find.count).toBe(2);
});
