import type { Level } from '../api/generated';
import type { Sought } from './filter';
import { STAMPS, type Stamps } from './stamps';

/** What the reader has set: of one view, for as long as the window is open. */
interface Set extends Sought {
  invert: boolean;
  levels: Level[];
  only: string[];
  muted: string[];
}

/** And what holds for all views, for good. */
interface Taste {
  wrap: boolean;
  stamps: Stamps;
  /** Copied lines have their time and process. */
  copyStamps: boolean;
}

const NOTHING: Set = { text: '', regex: false, matchCase: false, invert: false, levels: [], only: [], muted: [] };
const TASTE: Taste = { wrap: false, stamps: 'local', copyStamps: false };
const TASTE_KEY = 'forge.log';

/** How a log is read: each setting by itself, and none changes another. */
export class Reading {
  set = $state<Set>({ ...NOTHING });
  taste = $state<Taste>({ ...TASTE });
  readonly filtered = $derived(
    this.set.text !== '' || this.set.levels.length > 0 || this.set.only.length > 0 || this.set.muted.length > 0,
  );
  readonly #key: string;

  constructor(view: string) {
    this.#key = `${TASTE_KEY}:${view}`;
    this.set = { ...NOTHING, ...stored(sessionStorage, this.#key) };
    this.taste = { ...TASTE, ...stored(localStorage, TASTE_KEY) };
    if (!STAMPS.includes(this.taste.stamps)) this.taste.stamps = 'local';
  }

  /** To be called where it follows what it reads. */
  remember(): void {
    sessionStorage.setItem(this.#key, JSON.stringify(this.set));
    localStorage.setItem(TASTE_KEY, JSON.stringify(this.taste));
  }

  clear(): void {
    this.set = { ...NOTHING };
  }

  toggleLevel(level: Level): void {
    this.set.levels = toggled(this.set.levels, level);
  }

  toggleOnly(process: string): void {
    this.set.only = toggled(this.set.only, process);
  }

  toggleMuted(process: string): void {
    this.set.muted = toggled(this.set.muted, process);
  }

  turnStamps(): void {
    this.taste.stamps = STAMPS[(STAMPS.indexOf(this.taste.stamps) + 1) % STAMPS.length] ?? 'local';
  }
}

const toggled = <T>(list: T[], one: T) => (list.includes(one) ? list.filter((other) => other !== one) : [...list, one]);

/** What was stored by another version is better forgotten than believed. */
function stored(storage: Storage, key: string): object {
  try {
    const value: unknown = JSON.parse(storage.getItem(key) ?? '{}');
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
  } catch {
    return {};
  }
}
