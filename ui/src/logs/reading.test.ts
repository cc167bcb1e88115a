// @vitest-environment jsdom
import { beforeEach, expect, test } from 'vitest';

import { Reading } from './reading.svelte';

beforeEach(() => [localStorage, sessionStorage].forEach((storage) => storage.clear()));

const narrowed = { stream: 'stderr', run: 2, since: 1000, until: 2000 } as const;

test('each of the filters says that something is kept away, and clearing ends them all', () => {
  for (const [key, value] of Object.entries({ text: 'x', levels: ['error'], only: ['a'], muted: ['b'], ...narrowed })) {
    const reading = new Reading('view');
    expect(reading.filtered).toBe(false);
    Object.assign(reading.set, { [key]: value });
    expect(reading.filtered, key).toBe(true);
    reading.clear();
    expect(reading.filtered, key).toBe(false);
  }
});

test('no filter changes another', () => {
  const reading = new Reading('view');
  Object.assign(reading.set, { text: 'x', regex: true, ...narrowed });
  reading.toggleLevel('error');
  reading.toggleMuted('api');
  reading.set.stream = 'stdout';
  expect(reading.set).toMatchObject({
    text: 'x',
    regex: true,
    levels: ['error'],
    muted: ['api'],
    ...narrowed,
    stream: 'stdout',
  });
});

test('a stream is remembered as the rest is; what speaks of a time is not', () => {
  const reading = new Reading('view');
  Object.assign(reading.set, { text: 'x', levels: ['warn'], ...narrowed });
  reading.remember();
  const again = { text: 'x', levels: ['warn'], stream: 'stderr', run: null, since: null, until: null };
  expect(new Reading('view').set).toMatchObject(again);
  expect(new Reading('another').set).toMatchObject({ text: '', levels: [], stream: null });
});
