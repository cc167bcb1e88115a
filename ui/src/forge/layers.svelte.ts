/** What lies over the page; one at a time. */
export type Layer = 'palette' | 'help' | 'add-workspace';

const COLLAPSED = 'forge.sidebar';
/** Below this the sidebar is narrow unless somebody widened it. */
const NARROW = '(max-width: 1000px)';

export class Layers {
  open = $state<Layer | null>(null);
  /** A dialogue of the system's stands in front, and what comes of it belongs to what is open: nothing takes its place. */
  picking = false;
  /** What the reader chose; `null`: as the width says. */
  #chosen = $state<boolean | null>(null);
  #narrow = $state(false);

  constructor() {
    const query = matchMedia(NARROW);
    this.#narrow = query.matches;
    query.addEventListener('change', () => (this.#narrow = query.matches));
    const stored = localStorage.getItem(COLLAPSED);
    if (stored !== null) this.#chosen = stored === 'true';
  }

  get collapsed(): boolean {
    return this.#chosen ?? this.#narrow;
  }

  toggleSidebar(): void {
    this.#chosen = !this.collapsed;
    localStorage.setItem(COLLAPSED, String(this.#chosen));
  }

  show(layer: Layer): void {
    if (!this.picking) this.open = layer;
  }

  /** A dialogue reports its end late: what was shown in its place meanwhile stays. */
  hide(layer: Layer): void {
    if (this.open === layer) this.open = null;
  }
}
