import { SvelteMap, SvelteSet } from 'svelte/reactivity';

import { Failure } from '../api/failure';
import type { OnConflict, Stopped } from '../api/generated';
import type { Forge } from './forge.svelte';

/** Something that a person asked for and that was refused. It stands until the same is done, or it was read. */
export interface Refusal {
  workspace: string;
  environment: string;
  /** As the request had them: an environment, or `ENVIRONMENT/PROCESS`. */
  names: string[];
  act: 'start' | 'stop' | 'restart' | 'kill';
  failure: Failure;
}

const key = (workspace: string, environment: string) => `${workspace}\0${environment}`;

/** What can be done with environments and processes; without a process the whole environment is meant. */
export class Acts {
  /** By environment: the newest. */
  readonly refusals = new SvelteMap<string, Refusal>();
  /** Requests on their way, by what they are about. */
  readonly #pending = new SvelteSet<string>();
  readonly #forge: Forge;

  constructor(forge: Forge) {
    this.#forge = forge;
  }

  isPending(workspace: string, environment: string, process?: string): boolean {
    return this.#pending.has(key(workspace, nameOf(environment, process)));
  }

  refusal(workspace: string, environment: string): Refusal | null {
    return this.refusals.get(key(workspace, environment)) ?? null;
  }

  forget(workspace: string, environment: string): void {
    this.refusals.delete(key(workspace, environment));
  }

  start(workspace: string, environment: string, process?: string, onConflict: OnConflict = 'fail'): Promise<boolean> {
    return this.startNames(workspace, environment, [nameOf(environment, process)], onConflict);
  }

  startNames(workspace: string, environment: string, names: string[], onConflict: OnConflict): Promise<boolean> {
    const request = { workspace, names, variables: null, trust: false, on_conflict: onConflict };
    return this.#do('start', workspace, environment, names, () => this.#forge.call('start', request));
  }

  stop(workspace: string, environment: string, process?: string): Promise<boolean> {
    const names = [nameOf(environment, process)];
    return this.#do('stop', workspace, environment, names, async () => {
      orSurvivors(await this.#forge.call('stop', { workspace, names, all: false }));
    });
  }

  restart(workspace: string, environment: string, process?: string): Promise<boolean> {
    const names = [nameOf(environment, process)];
    return this.#do('restart', workspace, environment, names, () =>
      this.#forge.call('restart', { workspace, names, variables: null }),
    );
  }

  kill(workspace: string, environment: string, process: string): Promise<boolean> {
    const names = [nameOf(environment, process)];
    return this.#do('kill', workspace, environment, names, async () => {
      orSurvivors(await this.#forge.call('kill', { workspace, names }));
    });
  }

  /** The user has seen the commands of that hash, and wants them run. */
  async trustAndStart(workspace: string, environment: string, hash: string): Promise<void> {
    const trusted = await this.#do('start', workspace, environment, [environment], () =>
      this.#forge.call('workspaces.trust', { path: workspace, hash }),
    );
    if (trusted) await this.start(workspace, environment);
  }

  async #do(
    act: Refusal['act'],
    workspace: string,
    environment: string,
    names: string[],
    request: () => Promise<unknown>,
  ): Promise<boolean> {
    const pending = names.map((name) => key(workspace, name));
    for (const each of pending) this.#pending.add(each);
    try {
      await request();
      this.forget(workspace, environment);
      return true;
    } catch (thrown) {
      const failure = Failure.from(thrown);
      this.refusals.set(key(workspace, environment), { workspace, environment, names, act, failure });
      return false;
    } finally {
      for (const each of pending) this.#pending.delete(each);
    }
  }
}

const nameOf = (environment: string, process?: string) => (process ? `${environment}/${process}` : environment);

/** What could not be ended is no success. */
function orSurvivors({ survivors }: Stopped): void {
  if (survivors.length === 0) return;
  const who = survivors.map(({ target, name, pid }) => `${target.process}: ${name} (PID ${pid})`);
  throw new Failure({ code: 'survivors', message: `still alive: ${who.join(', ')}`, help: 'end them with Kill' });
}
