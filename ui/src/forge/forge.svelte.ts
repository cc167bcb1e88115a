import { Refused, type Carrier } from '../api/carrier';
import { Connection, type Answer, type Method, type Params } from '../api/connection';
import { Failure } from '../api/failure';
import type { HelloAnswer, Notice, Update, Warning } from '../api/generated';
import { clock } from './clock.svelte';
import type { Environment } from './environment.svelte';
import { SAMPLES } from './series.svelte';
import { Mirror, type Wanted } from './mirror.svelte';

/** How the page and the supervisor stand to each other. */
export type Link = 'connecting' | 'connected' | 'lost' | 'refused';

/** Milliseconds between attempts: the first, and the longest. */
const [FIRST_DELAY, LONGEST_DELAY] = [250, 5000];
/** Updates come in crowds; what they make us ask again is asked once. */
const SETTLE = 400;

/** The page's end of the supervisor: the mirror, the connection that feeds it, and requests. */
export class Forge {
  link = $state<Link>('connecting');
  hello = $state.raw<HelloAnswer | null>(null);
  readonly mirror = new Mirror();
  /** How often the whole picture came: after each, there may be something that was missed. */
  pictures = $state(0);
  /** Told of each update once it is in the mirror. */
  onupdate: (update: Update, closed: Notice | null) => void = () => {};
  /** Told when the whole picture is in the mirror. */
  onpicture: () => void = () => {};
  readonly #carrier: Carrier;
  #connection: Connection | null = null;
  /** One is being made, up to the whole picture. */
  #connecting = false;
  #delay = FIRST_DELAY;
  #next: ReturnType<typeof setTimeout> | null = null;
  /** Updates of the time between the subscription and the whole picture. */
  #held: Update[] | null = null;
  #refreshing = false;
  #again = false;
  readonly #stale = new Map<string, { workspace: string; environment: string }>();
  #settling: ReturnType<typeof setTimeout> | null = null;

  constructor(carrier: Carrier) {
    this.#carrier = carrier;
  }

  /** Begins, and follows whether anybody looks. */
  run(): void {
    document.addEventListener('visibilitychange', () => void this.#look());
    void this.#connect();
  }

  /** A connection of one's own: a terminal, a reader of logs. Whoever asks for it closes it. */
  connect(): Promise<Connection> {
    return Connection.open(this.#carrier);
  }

  /** @throws {Failure} */
  call<M extends Method>(method: M, params: Params<M>): Promise<Answer<M>> {
    if (this.#connection) return this.#connection.call(method, params);
    return Promise.reject(new Failure({ code: 'no_supervisor', message: 'there is no connection to the supervisor' }));
  }

  /** Not to wait for the next attempt. */
  retry(): void {
    if (this.link === 'lost') void this.#connect();
  }

  async #connect(): Promise<void> {
    if (this.#connection || this.#connecting) return;
    this.#connecting = true;
    let connection: Connection | null = null;
    try {
      connection = await this.connect();
      connection.onclose = () => this.#lost();
      connection.onupdate = (update) => this.#take(update);
      this.#connection = connection;
      this.hello = connection.hello;
      this.#delay = FIRST_DELAY;
      await this.refresh();
      this.link = 'connected';
      if (document.hidden) await this.#look();
      else clock.run();
    } catch (thrown) {
      // One that did not get as far as a picture would tell its updates beside the next one.
      connection?.close();
      if (thrown instanceof Refused) this.link = 'refused';
      else this.#lost();
    } finally {
      this.#connecting = false;
    }
  }

  /** Tries again after a while, once, whoever notices first that the connection is gone. */
  #lost(): void {
    this.#connection = null;
    this.link = 'lost';
    if (this.#next !== null) return;
    this.#next = setTimeout(() => {
      this.#next = null;
      void this.#connect();
    }, this.#delay);
    this.#delay = Math.min(this.#delay * 2, LONGEST_DELAY);
  }

  /** What an environment's processes cost before now, as far as it is not known here. */
  async recall(environment: Environment): Promise<void> {
    const { workspace, name, history } = environment;
    try {
      const after = history.loaded ? (history.missedFrom ?? history.last) : clock.precise() - SAMPLES * 1000;
      const request = { workspace, environment: name, after_ms: after, before_ms: null, step_ms: null };
      const { series, machine } = await this.call('metrics', request);
      history.load(series, machine);
    } catch {
      // What comes live is shown all the same.
    }
  }

  /** @throws {Failure} */
  async mute(environment: Environment, { process, kind }: Warning, muted: boolean): Promise<void> {
    const { workspace, name } = environment;
    await this.call('alerts.mute', { workspace, environment: name, process, kind, muted });
    this.#settle({ warnings: { workspace, environment: name } });
  }

  /** The whole picture, and from then on what changes. */
  async refresh(): Promise<void> {
    if (this.#refreshing) {
      this.#again = true;
      return;
    }
    this.#refreshing = true;
    try {
      do {
        this.#again = false;
        this.#held = [];
        const { environments, now } = await this.call('subscribe', { workspace: null, metrics: true });
        const [{ workspaces }, { notices }] = await Promise.all([
          this.call('workspaces', {}),
          this.call('notices', {}),
        ]);
        this.mirror.replace(workspaces, environments, notices);
        clock.learn(Date.parse(now));
        this.pictures += 1;
        this.onpicture();
        const held = this.#held;
        this.#held = null;
        for (const update of held) this.#apply(update);
        // One that became hidden meanwhile has asked to hear no more.
      } while (this.#again && !document.hidden);
    } finally {
      this.#refreshing = false;
      this.#held = null;
    }
  }

  #take(update: Update): void {
    if (this.#held) this.#held.push(update);
    else this.#apply(update);
  }

  #apply(update: Update): void {
    const closed = update.update === 'notice_closed' ? this.mirror.notice(update.id) : null;
    this.#settle(this.mirror.apply(update));
    this.onupdate(update, closed);
  }

  #settle(wanted: Wanted): void {
    if (wanted === 'nothing') return;
    if (wanted === 'everything') this.#again = true;
    else this.#stale.set(`${wanted.warnings.workspace}\0${wanted.warnings.environment}`, wanted.warnings);
    this.#settling ??= setTimeout(() => void this.#ask(), SETTLE);
  }

  /** Warnings are no updates of their own: they are asked for when what they are about has changed. */
  async #ask(): Promise<void> {
    this.#settling = null;
    const stale = [...this.#stale.values()];
    this.#stale.clear();
    // Asked for as a whole when somebody looks.
    if (document.hidden) return;
    try {
      if (this.#again) return await this.refresh();
      for (const { workspace, environment } of stale) {
        const status = await this.call('status', { workspace, environment });
        this.mirror.environment(workspace, environment)?.warn(status);
      }
    } catch {
      // Either the connection is lost, and all is asked again, or the environment is gone, and the list says so.
    }
  }

  /** Nothing is sent to a page that nobody sees. */
  async #look(): Promise<void> {
    try {
      if (document.hidden) {
        clock.halt();
        await this.call('unsubscribe', {});
      } else {
        clock.run();
        if (this.#connection) await this.refresh();
      }
    } catch {
      // The connection is lost; what connects again asks for everything.
    }
  }
}
