import { tinykeys } from 'tinykeys';

import type { Surroundings } from '../forge/context';
import { ENVIRONMENT_TABS, hrefOf, PROCESS_TABS, toEnvironment, type Route } from '../route/route';
import { isModal } from '../ui/modal';
import { enterRows } from '../ui/rows';

/** The keys that hold everywhere; a table or a log has its own, on itself. As the help shows them. */
export function bindKeys(page: Surroundings): () => void {
  const { layers } = page;
  const free = (act: () => void) => (event: KeyboardEvent) => {
    if (isModal() || event.defaultPrevented) return;
    event.preventDefault();
    act();
  };
  const everywhere = (act: () => void) => (event: KeyboardEvent) => {
    event.preventDefault();
    act();
  };
  const tabs = Object.fromEntries(PROCESS_TABS.map((_, at) => [`[Shift]+${at + 1}`, free(() => toTab(page, at))]));
  const letGo = [
    // Also while one types: it is what leads out of a field.
    tinykeys(
      window,
      { '$mod+k': everywhere(() => (layers.open === 'palette' ? layers.hide('palette') : layers.show('palette'))) },
      { ignore: isTerminal },
    ),
    tinykeys(window, {
      '[Shift]+?': free(() => layers.show('help')),
      '$mod+b': free(() => layers.toggleSidebar()),
      'g h': free(() => page.router.go({ page: 'home' })),
      'g l': free(() => toNamedTab(page, 'logs')),
      'g o': free(() => toNamedTab(page, 'overview')),
      'g g': free(() => toNamedTab(page, 'graphs')),
      'g p': free(() => toNamedTab(page, 'patterns')),
      'g e': free(() => toNamedTab(page, 'events')),
      u: free(() => up(page)),
      ...Object.fromEntries(['j', 'k', 'ArrowDown', 'ArrowUp'].map((key) => [key, intoTable])),
      '[Shift]+/': free(() => search(page)),
      ...tabs,
    }),
  ];
  return () => letGo.forEach((stop) => stop());
}

/** Who has the focus nowhere means the table. */
const intoTable = (event: KeyboardEvent) => {
  const here = document.activeElement;
  const nowhere = here === null || here === document.body || here === document.querySelector('main');
  if (nowhere && !isModal() && enterRows()) event.preventDefault();
};

/** A terminal has a use for every key. */
const isTerminal = (event: Event) => event.target instanceof Element && event.target.closest('.xterm') !== null;

function toTab(page: Surroundings, at: number): void {
  const { route } = page.router;
  if (route.page === 'environment') {
    const tab = ENVIRONMENT_TABS[at];
    if (tab) turnTo(page, hrefOf({ ...bare(route), tab }));
  } else if (route.page === 'process') {
    const tab = PROCESS_TABS[at];
    if (tab) turnTo(page, hrefOf({ ...bare(route), tab }));
  }
}

function toNamedTab(page: Surroundings, tab: (typeof ENVIRONMENT_TABS)[number]): void {
  const { route } = page.router;
  if (route.page === 'environment' || route.page === 'process') turnTo(page, hrefOf({ ...bare(route), tab }));
}

/** Whoever is there already keeps their place in it. */
function turnTo(page: Surroundings, href: string): void {
  if (href !== location.hash) page.router.go(href);
}

/** Another tab is looked at from its beginning. */
function bare<R extends Route>(route: R): R {
  const { notice: _notice, line: _line, time: _time, grep: _grep, ...page } = route;
  return page as R;
}

/** To what encloses this page. */
function up(page: Surroundings): void {
  const { route } = page.router;
  if (route.page === 'process') page.router.go(toEnvironment(route.workspace, route.environment));
  else page.router.go({ page: 'home' });
}

/** Into the search of the log that is shown; else to the log. */
function search(page: Surroundings): void {
  const field = document.querySelector<HTMLInputElement>('[data-testid="log-search"]');
  if (field) field.focus();
  else toNamedTab(page, 'logs');
}
