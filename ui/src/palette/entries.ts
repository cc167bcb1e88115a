import type { Surroundings } from '../forge/context';
import type { Environment } from '../forge/environment.svelte';
import { hrefOf, PROCESS_TAB_LABELS, PROCESS_TABS, toEnvironment, toProcess } from '../route/route';
import { isActive, lookOf, lookOfMood, type Look } from '../ui/states';

/** Something that can be gone to or done. */
export interface Entry {
  id: string;
  /** What is searched, and shown. */
  text: string;
  /** Where it is, or how it is. */
  hint: string;
  look: Look | null;
  /** How near it is to what is on the page: 2 in the same environment, 1 in the same workspace, else 0. */
  near: number;
  act(): unknown;
}

/** The parts of a process that are gone to straight; its overview is what its name alone leads to. */
const PARTS = PROCESS_TABS.filter((tab) => tab !== 'overview');

/** What there is now: first what one would go to, then what one would do; in each, what is near before the rest. */
export function entriesOf(page: Surroundings): Entry[] {
  const { environments: all } = page.forge.mirror;
  const environments = [...all].sort((a, b) => nearness(page, b) - nearness(page, a));
  return [
    ...environments.map((environment) => placeOf(page, environment)),
    ...environments.flatMap((environment) => processesOf(page, environment)),
    ...environments.flatMap((environment) => actsOf(page, environment)),
    ...general(page),
  ];
}

const workspaceOf = (page: Surroundings, environment: Environment) =>
  page.forge.mirror.workspace(environment.workspace)?.name ?? environment.workspace;

function nearness({ router: { route } }: Surroundings, { workspace, name }: Environment): number {
  if (!('workspace' in route) || route.workspace !== workspace) return 0;
  return 'environment' in route && route.environment === name ? 2 : 1;
}

function placeOf(page: Surroundings, environment: Environment): Entry {
  const { workspace, name, summary } = environment;
  return {
    id: `go ${workspace} ${name}`,
    text: `${workspaceOf(page, environment)} / ${name}`,
    hint: summary?.state ?? '',
    look: lookOfMood(summary?.mood ?? 'stopped', summary?.state ?? ''),
    near: nearness(page, environment),
    act: () => page.router.go(toEnvironment(workspace, name)),
  };
}

function processesOf(page: Surroundings, environment: Environment): Entry[] {
  const { workspace, name } = environment;
  const place = `${workspaceOf(page, environment)} / ${name}`;
  return environment.processes.map((process) => {
    const look = lookOf(process);
    return {
      id: `go ${workspace} ${name} ${process.name}`,
      text: process.name,
      hint: `${look.word} · ${place}`,
      look,
      near: nearness(page, environment),
      act: () => page.router.go(toProcess(workspace, name, process.name)),
    };
  });
}

function actsOf(page: Surroundings, environment: Environment): Entry[] {
  const { workspace, name, summary, url } = environment;
  const { acts, router } = page;
  const hint = workspaceOf(page, environment);
  const entry = (text: string, act: () => unknown): Entry => ({
    id: `${text} ${workspace} ${name}`,
    text,
    hint,
    look: null,
    near: nearness(page, environment),
    act,
  });
  const whole = [
    ...(summary?.startable ? [entry(`Start ${name}`, () => acts.start(workspace, name))] : []),
    ...(summary?.active
      ? [
          entry(`Stop ${name}`, () => acts.stop(workspace, name)),
          entry(`Restart ${name}`, () => acts.restart(workspace, name)),
        ]
      : []),
    ...(summary?.active && url ? [entry(`Open ${url}`, () => acts.open(workspace, name, url))] : []),
    entry(`Logs of ${name}`, () => router.go(toEnvironment(workspace, name, 'logs'))),
    entry(`Patterns in the logs of ${name}`, () => router.go(toEnvironment(workspace, name, 'patterns'))),
    entry(`Graphs of ${name}`, () => router.go(toEnvironment(workspace, name, 'graphs'))),
  ];
  const single = environment.processes.flatMap((process) => {
    const own = process.url;
    const of = (act: string, does: () => unknown) => ({
      ...entry(`${act} ${process.name}`, does),
      // An environment and a process of it may have one name.
      id: `process ${act} ${workspace} ${name} ${process.name}`,
      hint: `${hint} / ${name}`,
    });
    return [
      ...(isActive(process)
        ? [
            of('Restart', () => acts.restart(workspace, name, process.name)),
            of('Stop', () => acts.stop(workspace, name, process.name)),
          ]
        : [of('Start', () => acts.start(workspace, name, process.name))]),
      ...(isActive(process) ? [of('Kill', () => acts.kill(workspace, name, process.name))] : []),
      ...(own && process.ports.length > 0 ? [{ ...of('Open', () => acts.open(workspace, name, own)), hint: own }] : []),
      ...PARTS.map((part) =>
        of(`${PROCESS_TAB_LABELS[part]} of`, () => router.go(toProcess(workspace, name, process.name, part))),
      ),
    ];
  });
  return [...whole, ...single];
}

function general(page: Surroundings): Entry[] {
  const { layers, router } = page;
  const entry = (text: string, hint: string, act: () => unknown): Entry => ({
    // Two workspaces may have one name; their paths, which are the hint, differ.
    id: `general ${text} ${hint}`,
    text,
    hint,
    look: null,
    near: 0,
    act,
  });
  return [
    entry('Add a workspace', '', () => layers.show('add-workspace')),
    ...(page.forge.mirror.workspaces ?? []).map((workspace) =>
      entry(`${workspace.trusted ? 'Workspace' : 'Review and trust'} ${workspace.name}`, workspace.path, () =>
        router.go(hrefOf({ page: 'workspace', workspace: workspace.path })),
      ),
    ),
    entry('Home', 'all environments', () => router.go({ page: 'home' })),
    entry('Ports', 'who listens where', () => router.go({ page: 'ports' })),
    entry('Narrow or widen the sidebar', '', () => layers.toggleSidebar()),
    entry('Keyboard help', '?', () => layers.show('help')),
  ];
}
