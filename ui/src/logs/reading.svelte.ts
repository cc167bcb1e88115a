import type { Level } from '../api/generated';
import { ALL, type Conditions } from './filter';
import { STAMPS, type Stamps } from './stamps';

/** What the reader has set: of one view, for as long as the window is open. */
interface Set extends Conditions {
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

const NOTHING: Set = { ...ALL, only: [], muted: [] };
/** What speaks of a time: who comes back later would miss what is new, and not know why. */
const PASSING = { run: null, since: null, until: null };
const TASTE: Taste = { wrap: false, stamps: 'local', copyStamps: false };
const TASTE_KEY = 'forge.log';

/** How a log is read: each setting by itself, and none changes another. */
export class Reading {
  set = $state<Set>({ ...NOTHING });
  taste = $state<Taste>({ ...TASTE });
  readonly filtered = $derived.by(() => {
    const { text, levels, only, muted, stream, run, since, until } = this.set;
    return (
      text !== '' || [levels, only, muted].some((list) => list.length > 0) || isNarrowed([stream, run, since, until])
    );
  });
  readonly #key: string;

  constructor(view: string) {
    this.#key = `${TASTE_KEY}:${view}`;
    this.set = { ...NOTHING, ...stored(sessionStorage, this.#key) };
    this.taste = { ...TASTE, ...stored(localStorage, TASTE_KEY) };
    if (!STAMPS.includes(this.taste.stamps)) this.taste.stamps = 'local';
  }

  /** To be called where it follows what it reads. */
  remember(): void {
    sessionStorage.setItem(this.#key, JSON.stringify({ ...this.set, ...PASSING }));
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

const isNarrowed = (each: unknown[]) => each.some((one) => one !== null);
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
