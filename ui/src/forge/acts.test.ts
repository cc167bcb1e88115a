// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { FakeCarrier, type Answers } from '../api/fake';
import { Failure } from '../api/failure';
import { Acts } from './acts.svelte';
import { notice, processStatus, status, summary, workspace, WORKSPACE } from './fixtures';
import { Forge } from './forge.svelte';

const idle = (name: string) => processStatus(name, { status: 'stopped', ready: false, pid: null });
const targets = (...names: string[]) => names.map((process) => ({ environment: 'dev', process }));
const started = (...names: string[]) => ({
  ticket: 1,
  workspace: WORKSPACE,
  environment: 'dev',
  processes: targets(...names),
  starting: targets(...names),
});

async function connected(answers: Answers) {
  const carrier = new FakeCarrier({
    subscribe: () => ({ environments: [status('dev', [idle('db'), idle('api')])] }),
    workspaces: () => ({ workspaces: [] }),
    notices: () => ({ notices: [] }),
    status: () => status('dev', []),
    ...answers,
  });
  const forge = new Forge(carrier);
  const acts = new Acts(forge, { openUrl: () => Promise.resolve() });
  forge.run();
  await vi.waitFor(() => expect(forge.pictures).toBe(1));
  const heard = (name: string) =>
    carrier.tell({ update: 'process', workspace: WORKSPACE, environment: 'dev', process: processStatus(name) });
  return { acts, carrier, forge, heard };
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

test('a start is under way until all that it promised was heard of', async () => {
  const { acts, carrier, heard } = await connected({ start: 'later' });
  const done = acts.start(WORKSPACE, 'dev');
  expect(acts.underWay(WORKSPACE, 'dev')).toBe('start');
  expect(acts.underWayOf(WORKSPACE, 'dev', idle('db'))).toBe('start');
  carrier.reply('start', started('db', 'api'));
  await done;
  expect(acts.underWay(WORKSPACE, 'dev'), 'the answer alone shows nothing').toBe('start');
  heard('db');
  expect(acts.underWayOf(WORKSPACE, 'dev', idle('db')), 'it says itself how it is').toBe(null);
  expect(acts.underWayOf(WORKSPACE, 'dev', idle('api'))).toBe('start');
  heard('api');
  expect(acts.underWay(WORKSPACE, 'dev')).toBe(null);
  expect(acts.isPending(WORKSPACE, 'dev')).toBe(false);
});

test('what is heard before the answer counts', async () => {
  const { acts, carrier, heard } = await connected({ start: 'later' });
  const done = acts.start(WORKSPACE, 'dev', 'api');
  heard('api');
  carrier.reply('start', started('api'));
  await done;
  expect(acts.isPending(WORKSPACE, 'dev', 'api')).toBe(false);
});

test('a start of one process says nothing of the others, nor of the environment', async () => {
  const { acts } = await connected({ start: 'later' });
  void acts.start(WORKSPACE, 'dev', 'api');
  expect(acts.underWayOf(WORKSPACE, 'dev', idle('db'))).toBe(null);
  expect(acts.underWay(WORKSPACE, 'dev')).toBe(null);
});

test('a start of all leaves out what runs, is done, or is off', async () => {
  const { acts } = await connected({ start: 'later' });
  void acts.start(WORKSPACE, 'dev');
  for (const process of [
    processStatus('db'),
    processStatus('migrate', { status: 'exited', one_shot: true }),
    processStatus('api', { status: 'stopped', ready: false, disabled: true }),
  ])
    expect(acts.underWayOf(WORKSPACE, 'dev', process), process.name).toBe(null);
});

test('nothing stays under way for ever', async () => {
  const { acts } = await connected({ start: () => started('api') });
  await acts.start(WORKSPACE, 'dev', 'api');
  expect(acts.isPending(WORKSPACE, 'dev', 'api')).toBe(true);
  vi.advanceTimersByTime(3000);
  expect(acts.isPending(WORKSPACE, 'dev', 'api')).toBe(false);
});

test('what is refused is under way no longer, and stands there until it is done', async () => {
  let refuse = true;
  const { acts } = await connected({
    start: () => {
      if (refuse) throw new Failure({ code: 'missing', message: 'no such program' });
      return started();
    },
  });
  expect(await acts.start(WORKSPACE, 'dev')).toBe(false);
  expect(acts.underWay(WORKSPACE, 'dev')).toBe(null);
  expect(acts.refusal(WORKSPACE, 'dev')?.failure.message).toBe('no such program');
  refuse = false;
  expect(await acts.start(WORKSPACE, 'dev')).toBe(true);
  expect(acts.refusal(WORKSPACE, 'dev')).toBe(null);
});

test('what was refused stands while others are done', async () => {
  const missing = new Failure({ code: 'missing', message: 'no such program' });
  const { acts } = await connected({
    start: ({ names }: { names: string[] }) => {
      if (names.includes('dev/api')) throw missing;
      return started();
    },
  });
  await acts.start(WORKSPACE, 'dev', 'api');
  await acts.start(WORKSPACE, 'dev', 'web');
  expect(acts.refusal(WORKSPACE, 'dev')?.failure.message).toBe('no such program');
  await acts.start(WORKSPACE, 'dev');
  expect(acts.refusal(WORKSPACE, 'dev')).toBe(null);
});

test('what survives a stop is a refusal that names it', async () => {
  const survivors = [{ target: { environment: 'dev', process: 'api' }, pid: 7, name: 'node' }];
  const { acts } = await connected({ stop: () => ({ stopped: [], survivors }) });
  expect(await acts.stop(WORKSPACE, 'dev')).toBe(false);
  expect(acts.refusal(WORKSPACE, 'dev')?.failure.message).toContain('api: node (PID 7)');
});

function refusing(code: string) {
  return () => {
    throw new Failure({ code, message: 'no' } as never);
  };
}

test('what was in the way of a start and is gone leaves no refusal behind, whoever saw to it', async () => {
  const { acts, carrier } = await connected({ start: refusing('port_conflict') });
  await acts.start(WORKSPACE, 'dev');
  expect(acts.refusal(WORKSPACE, 'dev')?.failure.code).toBe('port_conflict');
  carrier.tell({ update: 'notice', notice: notice('n1', { kind: 'port_conflict', process: null }) });
  carrier.tell({ update: 'notice', notice: notice('n2', { kind: 'crash' }) });
  carrier.tell({ update: 'notice_closed', id: 'n2' });
  expect(acts.refusal(WORKSPACE, 'dev'), 'a crash has nothing to do with it').not.toBeNull();
  carrier.tell({ update: 'notice_closed', id: 'n1' });
  expect(acts.refusal(WORKSPACE, 'dev')).toBeNull();
});

test('a refusal for want of trust ends when trust is given, and one of an environment when that is gone', async () => {
  const { acts, carrier, forge } = await connected({
    start: refusing('untrusted'),
    stop: refusing('usage'),
    workspaces: () => ({ workspaces: [{ ...workspace([summary('dev')]), trusted: false }] }),
  });
  await acts.start(WORKSPACE, 'dev');
  await forge.refresh();
  expect(acts.refusal(WORKSPACE, 'dev')?.failure.code, 'not yet').toBe('untrusted');
  carrier.answers.workspaces = () => ({ workspaces: [{ ...workspace([summary('dev')]), trusted: true }] });
  await forge.refresh();
  expect(acts.refusal(WORKSPACE, 'dev')).toBeNull();

  await acts.stop(WORKSPACE, 'dev');
  await forge.refresh();
  expect(acts.refusal(WORKSPACE, 'dev')?.failure.code, 'another reason').toBe('usage');
  carrier.answers.workspaces = () => ({ workspaces: [] });
  carrier.answers.subscribe = () => ({ environments: [] });
  await forge.refresh();
  expect([...acts.refusals]).toEqual([]);
});
