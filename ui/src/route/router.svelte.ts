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
    this.#host.onNavigate((route) => this.go(route));
    addEventListener('hashchange', () => this.#read());
    if (location.hash === '') {
      const initial = await this.#host.initialRoute();
      if (initial) this.go(initial);
    }
    this.#read();
  }

  /** A route, or a fragment with or without `#`. */
  go(to: Route | string): void {
    const href = typeof to === 'string' ? to : hrefOf(to);
    location.hash = href.replace(/^#/, '');
  }

  #read(): void {
    this.before = this.route;
    this.route = parseRoute(location.hash);
    this.#host.rememberRoute(hrefOf(this.route).slice(1));
  }
}
