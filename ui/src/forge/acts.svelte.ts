import { SvelteMap, SvelteSet } from 'svelte/reactivity';

import { Failure, type Holder, type Service } from '../api/failure';
import type { Notice, OnConflict, ProcessStatus, Started, Stopped, Update } from '../api/generated';
import type { Host } from '../host/host';
import { isActive } from '../ui/states';
import type { Forge } from './forge.svelte';
import { Pending, type Act } from './pending.svelte';

/** Something that a person asked for and that was refused. It stands until the same is done, or it was read. */
export interface Refusal {
  workspace: string;
  environment: string;
  /** As the request had them: an environment, or `ENVIRONMENT/PROCESS`; of `open`, the address. */
  names: string[];
  act: Act | 'open';
  failure: Failure;
}

const key = (workspace: string, environment: string) => `${workspace}\0${environment}`;

/** Milliseconds in which what a start promised is heard of; whoever missed it sees how things are all the same. */
const PATIENCE = 3000;

/** What can be done with environments and processes; without a process the whole environment is meant. */
export class Acts {
  /** By environment: the newest. */
  readonly refusals = new SvelteMap<string, Refusal>();
  /** Requests on their way, by environment. */
  readonly #pending = new SvelteMap<string, SvelteSet<Pending>>();
  readonly #forge: Forge;
  readonly #host: Pick<Host, 'openUrl'>;

  constructor(forge: Forge, host: Pick<Host, 'openUrl'>) {
    this.#forge = forge;
    this.#host = host;
    forge.onupdate = (update, closed) => this.#hear(update, closed);
    forge.onpicture = () => this.#prune();
  }

  isPending(workspace: string, environment: string, process?: string): boolean {
    return this.#of(workspace, environment).some((one) => one.names.includes(nameOf(environment, process)));
  }

  /** What was asked for of the whole environment and has not shown yet. */
  underWay(workspace: string, environment: string): Act | null {
    return this.#of(workspace, environment).find((one) => one.names.includes(environment))?.act ?? null;
  }

  /** What was asked for and will be done with that process, as far as one can tell, and has not shown yet. */
  underWayOf(workspace: string, environment: string, process: ProcessStatus): Act | null {
    const found = this.#of(workspace, environment).find((one) => one.hides(environment, process.name));
    if (!found) return null;
    if (found.names.includes(nameOf(environment, process.name))) return found.act;
    const idle = !isActive(process);
    const goes = found.act === 'start' ? idle && !process.disabled && !process.ready : !idle;
    return goes ? found.act : null;
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

  /** With `kill`, only these `holders` of ports are ended; `null`: whoever holds them. */
  startNames(
    workspace: string,
    environment: string,
    names: string[],
    onConflict: OnConflict,
    holders: Holder[] | null = null,
  ): Promise<boolean> {
    const request = { workspace, names, variables: null, trust: false, on_conflict: onConflict, holders };
    return this.#do('start', workspace, environment, names, () => this.#forge.call('start', request));
  }

  /** Starts in place of those who hold the ports: what is Forge's own is stopped, and `holders` are ended. */
  async startInstead(
    { workspace, environment, names }: Refusal,
    own: readonly Service[],
    holders: Holder[] | null,
  ): Promise<void> {
    for (const service of own) if (!(await this.stop(service.workspace, service.environment, service.process))) return;
    await this.startNames(workspace, environment, names, holders?.length === 0 ? 'fail' : 'kill', holders);
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

  /** Shows an address of an environment's in the browser. */
  async open(workspace: string, environment: string, url: string): Promise<void> {
    try {
      await this.#host.openUrl(url);
      if (this.refusal(workspace, environment)?.act === 'open') this.forget(workspace, environment);
    } catch (thrown) {
      this.#refuse({ workspace, environment, names: [url], act: 'open', failure: Failure.from(thrown) });
    }
  }

  /** The user has seen the commands of that hash, and wants them run. */
  async trustAndStart(workspace: string, environment: string, hash: string): Promise<void> {
    const trusted = await this.#do('start', workspace, environment, [environment], async () => {
      await this.#forge.call('workspaces.trust', { path: workspace, hash });
    });
    if (trusted) await this.start(workspace, environment);
  }

  async #do(
    act: Act,
    workspace: string,
    environment: string,
    names: string[],
    request: () => Promise<Started | void>,
  ): Promise<boolean> {
    const pending = new Pending(act, names);
    const all = this.#pending.get(key(workspace, environment)) ?? new SvelteSet<Pending>();
    this.#pending.set(key(workspace, environment), all.add(pending));
    try {
      const started = await request();
      this.#mend(workspace, environment, names);
      pending.promise(started?.starting ?? []);
      if (pending.over) all.delete(pending);
      else setTimeout(() => all.delete(pending), PATIENCE);
      return true;
    } catch (thrown) {
      all.delete(pending);
      this.#refuse({ workspace, environment, names, act, failure: Failure.from(thrown) });
      return false;
    }
  }

  /** What was refused is done now; what was done with others says nothing of it. */
  #mend(workspace: string, environment: string, names: readonly string[]): void {
    const refused = this.refusal(workspace, environment)?.names ?? [];
    const all = [...names, ...refused].includes(environment);
    if (all || refused.some((name) => names.includes(name))) this.forget(workspace, environment);
  }

  #refuse(refusal: Refusal): void {
    this.refusals.set(key(refusal.workspace, refusal.environment), refusal);
  }

  /** What was in the way of a start is so no longer, whoever saw to that. */
  #solved({ workspace, environment }: Notice): void {
    const act = this.refusal(workspace, environment)?.act;
    if (act === 'start' || act === 'restart') this.forget(workspace, environment);
  }

  #of(workspace: string, environment: string): Pending[] {
    return [...(this.#pending.get(key(workspace, environment)) ?? [])];
  }

  /** What was refused to an environment that is gone, or for want of a trust that was given since, is over. */
  #prune(): void {
    const { mirror } = this.#forge;
    for (const { workspace, environment, failure } of this.refusals.values()) {
      const trusted = failure.code === 'untrusted' && mirror.workspace(workspace)?.trusted === true;
      if (trusted || mirror.environment(workspace, environment) === null) this.forget(workspace, environment);
    }
  }

  #hear(update: Update, closed: Notice | null): void {
    if (closed?.kind === 'port_conflict' || closed?.kind === 'start_failed') this.#solved(closed);
    if (update.update !== 'process') return;
    const { workspace, environment, process } = update;
    const all = this.#pending.get(key(workspace, environment));
    for (const pending of this.#of(workspace, environment)) {
      pending.see(`${environment}/${process.name}`);
      if (pending.over) all?.delete(pending);
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
