// @vitest-environment jsdom
import { beforeEach, expect, test, vi } from 'vitest';

import type { Host } from '../host/host';
import { webHost } from '../host/web';
import { toEnvironment } from './route';
import { Router } from './router.svelte';

beforeEach(() => void (location.hash = ''));

const DEV = toEnvironment('/shop', 'dev');
const TEST = toEnvironment('/shop', 'test');

/** The shell around the page: it remembers where the page is, and where a click wants it to be. */
function shell() {
  let remembered: string | null = '/ports';
  let listener: ((route: string) => void) | null = null;
  let [heard, told] = [() => {}, () => {}];
  const listening = new Promise<void>((resolve) => (heard = resolve));
  const answered = new Promise<void>((resolve) => (told = resolve));
  const host: Host = {
    ...webHost,
    // From when the shell has answered; what it says before that is lost.
    onNavigate: async (go) => {
      await listening;
      listener = go;
    },
    initialRoute: async () => {
      const route = remembered;
      await answered;
      return route;
    },
    rememberRoute: (route) => (remembered = route),
  };
  const click = (href: string) => {
    remembered = href.slice(1);
    listener?.(remembered);
  };
  return { host, click, heard: () => heard(), told: () => told(), listens: () => listener !== null };
}

test('a click while the page loads is where it begins, whether or not it was listening yet', async () => {
  const { host, click, heard, told } = shell();
  const router = new Router(host);
  const running = router.run();
  click(DEV);
  heard();
  told();
  await running;
  await vi.waitFor(() => expect(router.route).toMatchObject({ page: 'environment', environment: 'dev' }));
});

test('a click while the page asks where to begin is newer than the answer', async () => {
  const { host, click, heard, told, listens } = shell();
  const router = new Router(host);
  const running = router.run();
  heard();
  await vi.waitFor(() => expect(listens()).toBe(true));
  click(TEST);
  told();
  await running;
  await vi.waitFor(() => expect(router.route).toMatchObject({ page: 'environment', environment: 'test' }));
  expect(location.hash).toBe(TEST);
});

test('to go where one is already is a visit all the same', async () => {
  const router = new Router(webHost);
  location.hash = `${DEV}?notice=n1`;
  await router.run();
  const { route, before } = router;
  router.go(`${DEV}?notice=n1`);
  expect(router.route).not.toBe(route);
  expect(router.route).toEqual(route);
  expect(router.before, 'it is no way away from there').toBe(before);
});
