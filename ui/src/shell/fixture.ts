// For tests: the whole page, as it is with a supervisor that answers as it is told to.
import { render } from '@testing-library/svelte';
import { vi } from 'vitest';

import { FakeCarrier, type Answers } from '../api/fake';
import type { ProcessStatus } from '../api/generated';
import { Acts } from '../forge/acts.svelte';
import { processStatus, scanned, status, summary, workspace, WORKSPACE } from '../forge/fixtures';
import { Forge } from '../forge/forge.svelte';
import { Layers } from '../forge/layers.svelte';
import type { Host } from '../host/host';
import { webHost } from '../host/web';
import { toEnvironment } from '../route/route';
import { Router } from '../route/router.svelte';
import App from './App.svelte';

/** What the imitation of a browser lacks. */
export function prepareBrowser(): void {
  const query = { matches: false, addEventListener: () => {}, removeEventListener: () => {} };
  vi.stubGlobal('matchMedia', () => query);
  vi.stubGlobal(
    'ResizeObserver',
    class {
      observe() {}
      unobserve() {}
      disconnect() {}
    },
  );
  HTMLDialogElement.prototype.showModal = function () {
    this.open = true;
  };
  HTMLDialogElement.prototype.close = function () {
    this.open = false;
    this.dispatchEvent(new Event('close'));
  };
  Element.prototype.scrollIntoView = () => {};
  HTMLCanvasElement.prototype.getContext = () => null;
  localStorage.clear();
  location.hash = '';
}

export const PROCESSES: ProcessStatus[] = [
  processStatus('postgres', { status: 'starting', ready: false }),
  processStatus('api', { status: 'waiting', ready: false, waiting_on: ['postgres'], pid: null }),
  processStatus('web', { status: 'stopped', ready: false, wanted: false, pid: null }),
];

/** A workspace with the environment `dev` and its processes; `answers` come before that. */
export async function openPage(answers: Answers, hash = toEnvironment(WORKSPACE, 'dev'), host: Host = webHost) {
  const carrier = new FakeCarrier({
    subscribe: () => ({ now: '2026-11-21T10:00:01.000Z', environments: [status('dev', PROCESSES)] }),
    workspaces: () => ({ workspaces: [workspace([summary('dev', { startable: true })])] }),
    notices: () => ({ notices: [] }),
    metrics: () => ({ series: [], machine: null, marks: [] }),
    events: () => ({ events: [] }),
    // A log that is waited for says nothing; an answer each time would never end.
    'logs.read': 'later',
    'logs.scan': () => ({ scan: 1 }),
    'logs.scan.next': () => scanned(),
    status: () => status('dev', PROCESSES),
    ...answers,
  });
  const forge = new Forge(carrier);
  const router = new Router(host);
  location.hash = hash;
  const { container } = render(App, { forge, acts: new Acts(forge, host), host, router, layers: new Layers() });
  forge.run();
  await router.run();
  return { carrier, container, router };
}
