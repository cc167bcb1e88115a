// @vitest-environment jsdom
// What is asked of the supervisor while nobody looks.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { FakeCarrier } from '../api/fake';
import type { Update } from '../api/generated';
import { clock } from './clock.svelte';
import { cost, processStatus, status, summary, workspace, WORKSPACE } from './fixtures';
import { Forge } from './forge.svelte';

let hidden = false;

function look(now: boolean) {
  hidden = !now;
  document.dispatchEvent(new Event('visibilitychange'));
}

beforeEach(() => {
  hidden = false;
  Object.defineProperty(document, 'hidden', { get: () => hidden, configurable: true });
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => void vi.useRealTimers());

const picture = () => ({ environments: [status('dev', [processStatus('api')])] });

async function connected() {
  const carrier = new FakeCarrier({
    subscribe: picture,
    workspaces: () => ({ workspaces: [workspace([summary('dev')])] }),
    notices: () => ({ notices: [] }),
    status: () => status('dev', []),
  });
  const forge = new Forge(carrier);
  forge.run();
  await vi.waitFor(() => expect(forge.link).toBe('connected'));
  return { carrier, forge };
}

const CHANGED: [string, Update][] = [
  ['the list of workspaces changed', { update: 'workspaces' } as Update],
  ['a process changed', { update: 'process', workspace: WORKSPACE, environment: 'dev', process: processStatus('api') }],
];

test.each(CHANGED)('a page that was hidden just after %s asks nothing more until somebody looks', async (_, update) => {
  const { carrier, forge } = await connected();
  carrier.tell(update);
  look(false);
  await vi.waitFor(() => expect(carrier.asked('unsubscribe')).toHaveLength(1));
  const before = carrier.sent.length;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(carrier.sent.slice(before).map(({ method }) => method)).toEqual([]);

  look(true);
  await vi.waitFor(() => expect(forge.pictures).toBe(2));
  expect(carrier.asked('subscribe')).toHaveLength(2);
});

test('what changes while the whole picture is asked for is not asked for again when the page was hidden meanwhile', async () => {
  const { carrier, forge } = await connected();
  carrier.answers.subscribe = 'later';
  void forge.refresh();
  void forge.refresh();
  look(false);
  carrier.reply('subscribe', picture());
  await vi.waitFor(() => expect(forge.pictures).toBe(2));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(carrier.sent.map(({ method }) => method).filter((method) => method.endsWith('subscribe'))).toEqual([
    'subscribe',
    'subscribe',
    'unsubscribe',
  ]);
});

test('a page that was hidden for a moment while it connected hears of what changes', async () => {
  const carrier = new FakeCarrier({
    subscribe: 'later',
    workspaces: () => ({ workspaces: [] }),
    notices: () => ({ notices: [] }),
  });
  const forge = new Forge(carrier);
  forge.run();
  await vi.waitFor(() => expect(carrier.asked('subscribe')).toHaveLength(1));
  look(false);
  look(true);
  carrier.answers.subscribe = picture;
  carrier.reply('subscribe', picture());
  await vi.waitFor(() => expect(forge.link).toBe('connected'));
  const asked = carrier.sent.map(({ method }) => method);
  expect(asked.lastIndexOf('subscribe')).toBeGreaterThan(asked.lastIndexOf('unsubscribe'));
});

test('what was missed while nobody looked is asked for, also of an environment that is looked at only later', async () => {
  const { carrier, forge } = await connected();
  carrier.answers.metrics = () => ({ series: [], machine: null, marks: [] });
  const environment = forge.mirror.environment(WORKSPACE, 'dev')!;
  const measured = (second: number) =>
    carrier.tell({
      update: 'metrics',
      workspace: WORKSPACE,
      environment: 'dev',
      time_ms: second * 1000,
      costs: [cost('api')],
      machine: null,
    });
  await forge.recall(environment);
  measured(1000);
  look(false);
  await vi.waitFor(() => expect(carrier.asked('unsubscribe')).toHaveLength(1));
  look(true);
  await vi.waitFor(() => expect(forge.pictures).toBe(2));
  measured(1300);
  await forge.recall(environment);
  expect(carrier.asked('metrics').at(-1)).toMatchObject({ after_ms: 1_000_000 });
  await forge.recall(environment);
  expect(carrier.asked('metrics').at(-1), 'once').toMatchObject({ after_ms: 1_300_000 });
});

test('the time is the supervisor’s, by each look at what it measures', async () => {
  const { carrier } = await connected();
  const told = (time_ms: number) =>
    carrier.tell({ update: 'metrics', workspace: WORKSPACE, environment: 'dev', time_ms, costs: [], machine: null });
  told(Date.now() - 3_600_000);
  expect(Math.abs(clock.precise() - (Date.now() - 3_600_000))).toBeLessThan(1000);
  told(Date.now());
  expect(Math.abs(clock.precise() - Date.now())).toBeLessThan(1000);
});
