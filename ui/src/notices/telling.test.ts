import { expect, test } from 'vitest';

import { notice } from '../forge/fixtures';
import { bodyOf, countdownOf, subjectOf } from './telling';

const at = (seconds: number) => new Date(Date.UTC(2026, 10, 21, 10, 0, seconds)).toISOString();

test('a countdown is told once', () => {
  const crash = notice('n', { body: 'exit 1: no such key\nRestarts in 4 min', until: at(79) });
  expect(bodyOf(crash)).toBe('exit 1: no such key');
  expect(countdownOf(crash, Date.parse(at(0)))).toBe('restarts in 1m 19s');
  expect(countdownOf(crash, Date.parse(at(80)))).toBe('restarts now');
});

test('without a countdown the body stands as it is', () => {
  const crash = notice('n', { body: 'exit 1\nStays down, as configured' });
  expect(bodyOf(crash)).toBe('exit 1\nStays down, as configured');
  expect(countdownOf(crash, 0)).toBe(null);
});

test.each([
  ['api did not get ready', 'api'],
  ['api-worker: not found', 'api-worker'],
  ['api', 'api'],
  ['apiary did', null],
  ['port 3000, which api needs', null],
])('%s is about %s', (line, subject) => expect(subjectOf(line, ['api', 'api-worker'])).toBe(subject));
