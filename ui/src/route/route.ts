export const ENVIRONMENT_TABS = ['overview', 'logs', 'patterns', 'graphs', 'events'] as const;
export const PROCESS_TABS = ['overview', 'logs', 'patterns', 'graphs', 'env', 'health', 'terminal', 'events'] as const;

/** What a part of a process is called. */
export const PROCESS_TAB_LABELS = {
  overview: 'Overview',
  logs: 'Logs',
  patterns: 'Patterns',
  graphs: 'Graphs',
  env: 'Variables',
  health: 'Health',
  terminal: 'Terminal',
  events: 'Events',
} as const satisfies Record<ProcessTab, string>;

export type EnvironmentTab = (typeof ENVIRONMENT_TABS)[number];
export type ProcessTab = (typeof PROCESS_TABS)[number];

/** What is to be looked at first on a page. */
export interface Point {
  /** The notice that brought one here. */
  notice?: string;
  /** A line of the log, `PROCESS@SEGMENT:OFFSET`. */
  line?: string;
  /** A moment, RFC 3339. */
  time?: string;
  /** What the log is filtered by: a regular expression. */
  grep?: string;
}

const POINTS = ['notice', 'line', 'time', 'grep'] as const;

/** A page. */
export type Page =
  | { page: 'home' }
  | { page: 'ports' }
  | { page: 'workspace'; workspace: string }
  | { page: 'environment'; workspace: string; environment: string; tab: EnvironmentTab }
  | { page: 'process'; workspace: string; environment: string; process: string; tab: ProcessTab };

/** Where one is. */
export type Route = Page & Point;

const includes = <T extends string>(known: readonly T[], text: string): text is T =>
  (known as readonly string[]).includes(text);

/** From the address's fragment, with or without `#`. What is unknown is home. */
export function parseRoute(fragment: string): Route {
  const bare = fragment.replace(/^#/, '');
  const [path = ''] = bare.split('?', 1);
  const query = new URLSearchParams(bare.slice(path.length + 1));
  const points = POINTS.flatMap((name) => (query.get(name) === null ? [] : [[name, query.get(name)]]));
  return { ...parsePath(path), ...(Object.fromEntries(points) as Point) };
}

function parsePath(path: string): Page {
  const parts = path.split('/').slice(1).map(decode);
  const [kind, workspace, environment, fourth = 'overview', process, tab = 'overview'] = parts;
  if (kind === 'ports' && parts.length === 1) return { page: 'ports' };
  if (kind === 'w' && workspace && parts.length === 2) return { page: 'workspace', workspace };
  if (kind !== 'e' || !workspace || !environment) return { page: 'home' };
  if (fourth === 'p' && process && includes(PROCESS_TABS, tab))
    return { page: 'process', workspace, environment, process, tab };
  if (parts.length <= 4 && includes(ENVIRONMENT_TABS, fourth))
    return { page: 'environment', workspace, environment, tab: fourth };
  return { page: 'home' };
}

/** What is no encoding stands for itself. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** With `#`, for links. */
export function hrefOf(route: Route): string {
  const points = POINTS.flatMap((name) =>
    route[name] === undefined ? [] : [`${name}=${encodeURIComponent(route[name])}`],
  );
  return `#${pathOf(route)}${points.length === 0 ? '' : `?${points.join('&')}`}`;
}

function pathOf(route: Page): string {
  if (route.page === 'home') return '/';
  if (route.page === 'ports') return '/ports';
  if (route.page === 'workspace') return `/w/${encodeURIComponent(route.workspace)}`;
  const base = `/e/${encodeURIComponent(route.workspace)}/${encodeURIComponent(route.environment)}`;
  const tab = route.tab === 'overview' ? '' : `/${route.tab}`;
  if (route.page === 'environment') return `${base}${tab}`;
  return `${base}/p/${encodeURIComponent(route.process)}${tab}`;
}

export const toEnvironment = (
  workspace: string,
  environment: string,
  tab: EnvironmentTab = 'overview',
  point: Point = {},
): string => hrefOf({ page: 'environment', workspace, environment, tab, ...point });

export const toProcess = (
  workspace: string,
  environment: string,
  process: string,
  tab: ProcessTab = 'overview',
  point: Point = {},
): string => hrefOf({ page: 'process', workspace, environment, process, tab, ...point });
