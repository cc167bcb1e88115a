import type { Host } from '../host/host';
import { hrefOf, parseRoute, type Route } from './route';

/** The route in the address's fragment. */
export class Router {
  route = $state.raw<Route>({ page: 'home' });
  /** Where one was before. */
  before: Route | null = null;
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  async run(): Promise<void> {
    addEventListener('hashchange', () => this.#read());
    // A click from now on is heard; one before is the route to begin with.
    await this.#host.onNavigate((route) => this.go(route));
    if (location.hash === '') {
      const initial = await this.#host.initialRoute();
      // Unless one was heard meanwhile, which is newer.
      if (initial && location.hash === '') this.go(initial);
    }
    this.#read();
  }

  /** A route, or a fragment with or without `#`. Where one is already is visited anew. */
  go(to: Route | string): void {
    const href = typeof to === 'string' ? to : hrefOf(to);
    const { hash } = new URL(href.replace(/^#?/, '#'), location.href);
    if (hash === location.hash) this.route = parseRoute(hash);
    else location.hash = hash;
  }

  #read(): void {
    this.before = this.route;
    this.route = parseRoute(location.hash);
    this.#host.rememberRoute(hrefOf(this.route).slice(1));
  }
}
