import type { Axis } from './axis.svelte';
import { indexAt } from './grid';

/** What keys do to charts. */
interface Deeds {
  axis: Axis;
  /** Milliseconds since 1970. */
  now: number;
  /** Seconds of the samples. */
  times: readonly number[];
  toLog(): void;
  stack(): void;
}

/** Whether the key meant something here. */
export function axisKey(event: KeyboardEvent, { axis, now, times, toLog, stack }: Deeds): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target instanceof HTMLInputElement) return false;
  const onButton = event.target instanceof HTMLButtonElement || event.target instanceof HTMLAnchorElement;
  const acts: Record<string, () => unknown> = {
    ArrowLeft: () => move(axis, times, event.shiftKey ? -10 : -1),
    ArrowRight: () => move(axis, times, event.shiftKey ? 10 : 1),
    '+': () => axis.scale(0.5, now),
    '-': () => axis.scale(2, now),
    '0': () => axis.reset(),
    s: stack,
  };
  const act = acts[event.key];
  if (act) act();
  else if (event.key === 'Enter' && !onButton && axis.pinned !== null) toLog();
  else if (event.key === 'Escape' && axis.pinned !== null) axis.pinned = null;
  else return false;
  return true;
}

/** From sample to sample; a first press keeps the newest. */
function move(axis: Axis, times: readonly number[], by: number): void {
  const last = times.length - 1;
  const from = axis.pinned === null ? last - by : indexAt(times, axis.pinned / 1000 + 0.5);
  const time = times[Math.min(Math.max(from + by, 0), last)];
  if (time !== undefined) axis.pinned = time * 1000;
}
