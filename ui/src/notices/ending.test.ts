import { expect, test } from 'vitest';

import { conflictsOf } from '../api/failure';
import { endingOf, movingOf, servicesOf } from './ending';

const API = { workspace: '/shop', environment: 'dev', process: 'api' };
const DB = { ...API, process: 'db' };
const node = { process: 'web', port: 3000, pid: 8432, holder: 'node (PID 8432)', next: 3001 };
const ruby = { ...node, port: 3001, pid: 8433, next: 3002 };
const own = { ...node, service: API };
const unknown = { ...node, pid: null };
const conflicts = (...list: object[]) => conflictsOf({ details: { conflicts: list } as never });

test.each([
  [[node], 'Stop it and start', 'End what holds the port?', 'End it and start'],
  [[node, ruby], 'Stop them and start', 'End what holds the ports?', 'End them and start'],
  [[own], 'Stop dev/api and start', 'Stop dev/api?', 'Stop it and start'],
  [[own, ruby], 'Stop them and start', 'Stop what holds the ports?', 'Stop them and start'],
  [[], 'Stop it and start', 'End what holds the port?', 'End it and start'],
])('%j are ended in these words', (list, label, question, confirm) =>
  expect(endingOf(conflicts(...list))).toMatchObject({ label, question, confirm }),
);

test('what is Forge’s own is not said to be killed, nor what is not to be Forge’s', () => {
  const fate = (...list: object[]) => endingOf(conflicts(...list))?.fate;
  expect(fate(own)).toBe('dev/api is Forge’s own, and stopped in the usual way.');
  expect(fate(own, { ...ruby, service: DB })).toBe('dev/api and dev/db are Forge’s own, and stopped in the usual way.');
  expect(fate(own, ruby)).toMatch(/^dev\/api is Forge’s own.* What is not Forge’s is asked to end/);
  expect(fate(node)).toMatch(/^This is not Forge’s process/);
  expect(fate(node, ruby)).toMatch(/^These are not Forge’s processes/);
});

test('who is not known is not ended', () => {
  expect(endingOf(conflicts(unknown))).toBe(null);
  expect(endingOf(conflicts(node, unknown))).toBe(null);
});

test('one of Forge’s own that holds two ports is stopped once', () =>
  expect(servicesOf(conflicts(own, { ...ruby, service: { ...API } }))).toEqual([API]));

test.each([
  [[node], 'Use port 3001'],
  [[node, ruby], 'Use other ports'],
  [[{ ...node, next: null }], null],
  [[], 'Use other ports'],
])('what is in the way of %j is left by', (list, label) => expect(movingOf(conflicts(...list))).toBe(label));
