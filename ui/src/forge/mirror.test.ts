import { beforeEach, describe, expect, test } from 'vitest';

import { cost, notice, processStatus, status, summary, workspace, WORKSPACE } from './fixtures';
import { Mirror } from './mirror.svelte';

let mirror: Mirror;
const at = { workspace: WORKSPACE, environment: 'dev' };

beforeEach(() => {
  mirror = new Mirror();
  mirror.replace([workspace([summary('dev')])], [status('dev', [processStatus('store'), processStatus('api')])], []);
});

describe('updates', () => {
  test('a process takes its own place', () => {
    mirror.apply({ update: 'process', ...at, process: processStatus('store', { status: 'crashed' }) });
    expect(mirror.environment(WORKSPACE, 'dev')?.processes.map((each) => [each.name, each.status])).toEqual([
      ['store', 'crashed'],
      ['api', 'running'],
    ]);
  });

  test('a process that nobody knew comes last', () => {
    mirror.apply({ update: 'process', ...at, process: processStatus('new') });
    expect(mirror.environment(WORKSPACE, 'dev')?.processes.at(-1)?.name).toBe('new');
  });

  test('events are kept, but not for ever', () => {
    for (let i = 0; i < 300; i += 1)
      mirror.apply({
        update: 'event',
        ...at,
        event: { time: '', process: null, level: 'info', title: String(i), text: '' },
      });
    const events = mirror.environment(WORKSPACE, 'dev')?.events ?? [];
    expect(events.length).toBe(200);
    expect(events.at(-1)?.title).toBe('299');
  });

  test('costs reach the process and its history; who is not measured costs nothing that is known', () => {
    const costs = [cost('api', { cpu_percent: 12, memory_bytes: 5e6 })];
    mirror.apply({ update: 'metrics', ...at, time_ms: 1000, costs, machine: null });
    const environment = mirror.environment(WORKSPACE, 'dev');
    expect(environment?.process('api')).toMatchObject({ cpu_percent: 12, memory_bytes: 5e6 });
    expect(environment?.process('store')?.cpu_percent).toBeNull();
    expect(environment?.cpu).toBe(12);
    expect(environment?.history.of('api')).toMatchObject({ times: [1000], cpu: [12], memory: [5e6], threads: [null] });
  });

  test('that all is ready is told once, and no longer than it is so', () => {
    const ready = (id: string) => notice(id, { ...at, kind: 'ready' });
    mirror.apply({ update: 'notice', notice: ready('1') });
    mirror.apply({ update: 'notice', notice: notice('2') });
    mirror.apply({ update: 'notice', notice: ready('3') });
    expect(mirror.notices.map((each) => each.id)).toEqual(['2', '3']);
    mirror.apply({ update: 'environment', summary: summary('dev', { mood: 'busy' }) });
    expect(mirror.notices.map((each) => each.id)).toEqual(['2']);
  });

  test('a notice changes in place, and goes', () => {
    mirror.apply({ update: 'notice', notice: notice('1') });
    mirror.apply({ update: 'notice', notice: notice('1', { body: 'again' }) });
    expect(mirror.notices.map((each) => each.body)).toEqual(['again']);
    mirror.apply({ update: 'notice_closed', id: '1' });
    expect(mirror.notices).toEqual([]);
  });

  test('a summary is shown, and makes one ask for warnings', () => {
    const wanted = mirror.apply({
      update: 'environment',
      summary: summary('dev', { state: 'api crashed', mood: 'trouble' }),
    });
    expect(mirror.environment(WORKSPACE, 'dev')?.summary?.state).toBe('api crashed');
    expect(wanted).toEqual({ warnings: at });
  });

  test.each(['lagged', 'workspaces'] as const)('%s asks for everything', (update) => {
    expect(mirror.apply({ update } as Parameters<Mirror['apply']>[0])).toBe('everything');
  });
});

describe('the whole picture', () => {
  test('what is not in it is gone', () => {
    mirror.replace([workspace([summary('test')])], [status('test', [])], []);
    expect(mirror.environment(WORKSPACE, 'dev')).toBeNull();
    expect(mirror.environments.map((each) => each.name)).toEqual(['test']);
  });

  test('what stays keeps its history', () => {
    mirror.apply({
      update: 'metrics',
      ...at,
      time_ms: 1000,
      costs: [cost('api', { cpu_percent: 1 })],
      machine: null,
    });
    mirror.replace([workspace([summary('dev')])], [status('dev', [])], []);
    expect(mirror.environment(WORKSPACE, 'dev')?.history.last).toBe(1000);
  });
});
