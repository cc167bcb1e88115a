import { expect, test } from 'vitest';

import type { Event } from '../api/generated';
import { merge } from './merge';

const event = (time: string, title: string): Event => ({ time, process: 'api', level: 'info', title, text: '' });

test('what was read and what came live stands there once, in order', () => {
  const past = [event('1', 'started'), event('2', 'ready')];
  const live = [event('2', 'ready'), event('3', 'crashed')];
  expect(merge(past, live).map((each) => each.title)).toEqual(['started', 'ready', 'crashed']);
});
