import type { Window } from './past.svelte';

/** Milliseconds that are shown at most around a moment that one was led to. */
const AROUND = 300_000;
const MINUTE = 60_000;
const DAY = 1440 * MINUTE;

export const SPANS = [
  { value: 5 * MINUTE, label: '5 min' },
  { value: 15 * MINUTE, label: '15 min' },
  { value: 60 * MINUTE, label: '1 h' },
  { value: 360 * MINUTE, label: '6 h' },
  { value: DAY, label: '24 h' },
];

/** The time axis that all charts share: what is shown of it, and where one looks. All in milliseconds. */
export class Axis {
  /** Up to now, unless something is zoomed in on. */
  span = $state(5 * MINUTE);
  zoom = $state.raw<Window | null>(null);
  /** Under the pointer. */
  cursor = $state<number | null>(null);
  /** Kept, to be looked at. */
  pinned = $state<number | null>(null);

  /** The moment whose figures are shown; `null`: the newest. */
  get moment(): number | null {
    return this.cursor ?? this.pinned;
  }

  /** A moment that a log or an address leads to. */
  lead(moment: number, now: number): void {
    this.pinned = moment;
    if (now - moment < this.span) return;
    this.zoom = { from: moment - AROUND, to: Math.min(now, moment + AROUND) };
  }

  choose(span: number): void {
    [this.span, this.zoom] = [span, null];
  }

  zoomTo(from: number, to: number): void {
    // A click that trembles is no zoom.
    if (to - from >= 2000) this.zoom = { from, to };
  }

  /** Half, or twice as much, around the pinned moment or the middle. */
  scale(factor: number, now: number): void {
    const { from, to } = this.window(now);
    const middle = this.pinned ?? (from + to) / 2;
    const half = Math.max(5000, ((to - from) * factor) / 2);
    // Nothing is kept for longer.
    const zoom = { from: Math.max(now - DAY, middle - half), to: Math.min(now, middle + half) };
    if (zoom.to > zoom.from) this.zoom = zoom;
  }

  reset(): void {
    this.zoom = null;
  }

  window(now: number): Window {
    return this.zoom ?? { from: now - this.span, to: now };
  }
}
