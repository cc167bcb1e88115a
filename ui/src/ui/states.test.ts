import { expect, test } from 'vitest';

import type { State } from '../api/generated';
import { notice, processStatus } from '../forge/fixtures';
import { ending, lookOf, lookOfMood, markOfEvent, markOfNotice, markOfWarning } from './states';

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

test('one happening has one look, wherever it is told', () => {
  const unhealthy = { state: 'unhealthy', message: 'HTTP 500', checked_at: null } as const;
  const event = (title: string) => ({ time: '', process: 'api', level: 'error', title, text: '' }) as const;
  const warning = { process: 'api', kind: 'unhealthy', text: '', since: null, muted: false };
  const mark = ({ shape, tone }: { shape: string; tone: string }) => ({ shape, tone });
  for (const looks of [
    [
      lookOf(processStatus('api', { status: 'crashed', exit_code: 1 })),
      lookOf(processStatus('api', { status: 'failed', exit_code: 1 })),
      lookOfMood('trouble', 'api crashed'),
      markOfNotice(notice('n', { kind: 'crash' })),
      markOfNotice(notice('n', { kind: 'crash_loop' })),
      markOfEvent(event('crashed')),
    ],
    [
      lookOf(processStatus('api', { health: unhealthy })),
      lookOfMood('trouble', 'api unhealthy'),
      markOfNotice(notice('n', { kind: 'unhealthy' })),
      markOfEvent(event('unhealthy')),
      markOfWarning(warning),
    ],
    [
      lookOf(processStatus('api', { status: 'failed' })),
      lookOfMood('trouble', '2 failed'),
      markOfNotice(notice('n', { kind: 'start_failed' })),
      markOfEvent(event('could not be started')),
    ],
  ])
    expect(new Set(looks.map((look) => JSON.stringify(mark(look)))).size, JSON.stringify(looks)).toBe(1);
});

test('what has mended by itself looks well again', () => {
  const told = notice('n', { kind: 'unhealthy', settled: true });
  expect(markOfNotice(told)).toEqual({ shape: 'disc', tone: 'ok' });
});
