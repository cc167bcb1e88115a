import { getContext, setContext } from 'svelte';

import type { Host } from '../host/host';
import type { Router } from '../route/router.svelte';
import type { Acts } from './acts.svelte';
import type { Forge } from './forge.svelte';
import type { Layers } from './layers.svelte';

/** What every component may need. */
export interface Surroundings {
  forge: Forge;
  acts: Acts;
  host: Host;
  router: Router;
  layers: Layers;
}

const KEY = Symbol('surroundings');

export const provide = (surroundings: Surroundings): void => void setContext(KEY, surroundings);

export const surroundings = (): Surroundings => getContext<Surroundings>(KEY);
