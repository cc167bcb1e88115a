export const ENVIRONMENT_TABS = ['overview', 'logs', 'graphs', 'events'] as const;
export const PROCESS_TABS = ['overview', 'logs', 'graphs', 'env', 'health', 'terminal', 'events'] as const;

export type EnvironmentTab = (typeof ENVIRONMENT_TABS)[number];
export type ProcessTab = (typeof PROCESS_TABS)[number];

/** Where one is. `notice`: what brought one here, to be looked at first. */
export type Route =
  | { page: 'home'; notice?: string }
  | { page: 'ports'; notice?: string }
  | { page: 'workspace'; workspace: string; notice?: string }
  | { page: 'environment'; workspace: string; environment: string; tab: EnvironmentTab; notice?: string }
  | {
      page: 'process';
      workspace: string;
      environment: string;
      process: string;
      tab: ProcessTab;
      notice?: string;
    };

const includes = <T extends string>(known: readonly T[], text: string): text is T =>
  (known as readonly string[]).includes(text);

/** From the address's fragment, with or without `#`. What is unknown is home. */
export function parseRoute(fragment: string): Route {
  const [path = '', query = ''] = fragment.replace(/^#/, '').split('?', 2);
  const notice = new URLSearchParams(query).get('notice');
  const route = parsePath(path);
  return notice === null ? route : { ...route, notice };
}

function parsePath(path: string): Route {
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
  const query = route.notice === undefined ? '' : `?notice=${encodeURIComponent(route.notice)}`;
  return `#${pathOf(route)}${query}`;
}

function pathOf(route: Route): string {
  if (route.page === 'home') return '/';
  if (route.page === 'ports') return '/ports';
  if (route.page === 'workspace') return `/w/${encodeURIComponent(route.workspace)}`;
  const base = `/e/${encodeURIComponent(route.workspace)}/${encodeURIComponent(route.environment)}`;
  const tab = route.tab === 'overview' ? '' : `/${route.tab}`;
  if (route.page === 'environment') return `${base}${tab}`;
  return `${base}/p/${encodeURIComponent(route.process)}${tab}`;
}

export const toEnvironment = (workspace: string, environment: string, tab: EnvironmentTab = 'overview'): string =>
  hrefOf({ page: 'environment', workspace, environment, tab });

export const toProcess = (
  workspace: string,
  environment: string,
  process: string,
  tab: ProcessTab = 'overview',
): string => hrefOf({ page: 'process', workspace, environment, process, tab });
