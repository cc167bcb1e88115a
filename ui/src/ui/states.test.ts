import { expect, test } from 'vitest';

import type { State } from '../api/generated';
import { processStatus } from '../forge/fixtures';
import { ending, lookOf } from './states';

const STATES: State[] = [
  'stopped',
  'waiting',
  'starting',
  'running',
  'stopping',
  'exited',
  'crashed',
  'restarting',
  'failed',
];

test('each state has a shape and a word of its own', () => {
  const looks = STATES.map((status) => lookOf(processStatus('a', { status, ready: status === 'running' })));
  expect(new Set(looks.map((look) => look.shape)).size).toBe(STATES.length);
  expect(new Set(looks.map((look) => look.word)).size).toBe(STATES.length);
});

test('ready, not yet ready and unhealthy are told apart', () => {
  const health = { state: 'unhealthy', message: 'HTTP 500', checked_at: null } as const;
  const words = [{ ready: true }, { ready: false }, { ready: true, health }].map(
    (more) => lookOf(processStatus('a', more)).word,
  );
  expect(words).toEqual(['ready', 'running', 'unhealthy']);
});

test('a task that is done is good news, a service that ended is not', () => {
  const ended = { status: 'exited', exit_code: 0 } as const;
  expect(lookOf(processStatus('a', { ...ended, one_shot: true, ready: true }))).toMatchObject({
    word: 'done',
    tone: 'ok',
  });
  expect(lookOf(processStatus('a', { ...ended, ready: false }))).toMatchObject({ word: 'exited', tone: 'idle' });
});

test('how it ended', () => {
  expect(ending(processStatus('a', { exit_code: 3 }))).toBe('exit 3');
  expect(ending(processStatus('a', { signal: 'SIGKILL' }))).toBe('SIGKILL');
  expect(ending(processStatus('a'))).toBeNull();
});
