import { SvelteMap } from 'svelte/reactivity';

import type { EnvironmentSummary, Notice, Status, Update, Workspace } from '../api/generated';
import { clock } from './clock.svelte';
import { Environment } from './environment.svelte';

/** What an update asks its reader to do beside being applied. */
export type Wanted = 'nothing' | 'everything' | { warnings: { workspace: string; environment: string } };

const key = (workspace: string, environment: string) => `${workspace}\0${environment}`;

/** The supervisor's picture, kept up to date by its updates. It decides nothing. */
export class Mirror {
  /** `null` until the first answer. */
  workspaces = $state.raw<Workspace[] | null>(null);
  /** Oldest first. */
  notices = $state.raw<Notice[]>([]);
  readonly #environments = new SvelteMap<string, Environment>();

  environment(workspace: string, name: string): Environment | null {
    return this.#environments.get(key(workspace, name)) ?? null;
  }

  workspace(path: string): Workspace | null {
    return this.workspaces?.find((workspace) => workspace.path === path) ?? null;
  }

  notice(id: string): Notice | null {
    return this.notices.find((notice) => notice.id === id) ?? null;
  }

  /** In the order of the lists: workspaces by name, environments as in their file. */
  get environments(): Environment[] {
    const found = (this.workspaces ?? []).flatMap((workspace) =>
      workspace.environments.map((summary) => this.environment(workspace.path, summary.environment)),
    );
    return found.filter((environment) => environment !== null);
  }

  /** The whole picture: what was known before is gone. */
  replace(workspaces: Workspace[], statuses: Status[], notices: Notice[]): void {
    const summaries = workspaces.flatMap((workspace) => workspace.environments);
    const known = new Set<string>();
    for (const status of statuses) {
      known.add(key(status.workspace, status.environment));
      this.#at(status.workspace, status.environment).replace(status);
    }
    for (const summary of summaries) {
      known.add(key(summary.workspace, summary.environment));
      this.#at(summary.workspace, summary.environment).summary = summary;
    }
    for (const each of [...this.#environments.keys()]) if (!known.has(each)) this.#environments.delete(each);
    for (const environment of this.#environments.values()) environment.history.interrupt();
    this.workspaces = workspaces;
    this.notices = notices;
  }

  apply(update: Update): Wanted {
    switch (update.update) {
      case 'process':
        this.#at(update.workspace, update.environment).setProcess(update.process);
        return { warnings: update };
      case 'event':
        this.#at(update.workspace, update.environment).addEvent(update.event);
        return 'nothing';
      case 'environment':
        return this.#summarise(update.summary);
      case 'metrics':
        clock.learn(update.time_ms);
        this.environment(update.workspace, update.environment)?.setCosts(update.time_ms, update.costs, update.machine);
        return 'nothing';
      case 'notice':
        this.notices = [...this.notices.filter((notice) => !isReplaced(notice, update.notice)), update.notice];
        return 'nothing';
      case 'notice_closed':
        this.notices = this.notices.filter((notice) => notice.id !== update.id);
        return 'nothing';
      case 'workspaces':
      case 'lagged':
        return 'everything';
      default:
        return 'nothing';
    }
  }

  #summarise(summary: EnvironmentSummary): Wanted {
    const known = this.environment(summary.workspace, summary.environment)?.summary;
    const environment = this.#at(summary.workspace, summary.environment);
    environment.summary = summary;
    environment.url = summary.url;
    // That all is ready is nobody's incident, and none that is closed.
    if (summary.mood !== 'ready')
      this.notices = this.notices.filter((notice) => notice.kind !== 'ready' || !isAbout(notice, summary));
    if (!known) return 'everything';
    return { warnings: { workspace: summary.workspace, environment: summary.environment } };
  }

  #at(workspace: string, name: string): Environment {
    const at = key(workspace, name);
    let environment = this.#environments.get(at);
    if (!environment) this.#environments.set(at, (environment = new Environment(workspace, name)));
    return environment;
  }
}

const isAbout = (notice: Notice, { workspace, environment }: Pick<Notice, 'workspace' | 'environment'>): boolean =>
  notice.workspace === workspace && notice.environment === environment;

const isReplaced = (known: Notice, told: Notice): boolean =>
  known.id === told.id || (told.kind === 'ready' && known.kind === 'ready' && isAbout(known, told));
