import type { Level } from '../api/generated';
import type { Deeds } from './deeds';
import type { Log } from './log.svelte';
import type { Reading } from './reading.svelte';

/** What keys do in a log. */
export interface KeyDeeds extends Deeds {
  log: Log;
  reading: Reading;
  /** To the next line of a level; `back`: the one before. */
  level(level: Level, back: boolean): void;
  /** To the line below or above. */
  step(by: number): void;
  find(): void;
  findNext(older: boolean): void;
  toTime(): void;
  /** What else narrows what is shown. */
  toFilters(): void;
  /** Leaves what was opened last; whether there was something. */
  leave(): boolean;
}

/** A chord of the whole page, such as `g e`, begins with this; its second key is not ours. */
const CHORD = 1000;
let chordBegan = -Infinity;

/** Whether the key meant something here. */
export function logKey(event: KeyboardEvent, deeds: KeyDeeds): boolean {
  const chord = event.timeStamp - chordBegan < CHORD;
  chordBegan = event.key === 'g' ? event.timeStamp : -Infinity;
  if (event.key === 'f' && (event.ctrlKey || event.metaKey) && !event.altKey) {
    deeds.find();
    return true;
  }
  if (event.key === 'F3') {
    deeds.findNext(!event.shiftKey);
    return true;
  }
  if (chord || event.ctrlKey || event.metaKey || event.altKey || typesInto(event.target)) return false;
  return plainKey(event, deeds);
}

const typesInto = (target: EventTarget | null) => target instanceof HTMLInputElement;

function plainKey(event: KeyboardEvent, deeds: KeyDeeds): boolean {
  const { log, reading } = deeds;
  const onButton = event.target instanceof HTMLButtonElement || event.target instanceof HTMLAnchorElement;
  const acts: Record<string, () => unknown> = {
    e: () => deeds.level('error', false),
    E: () => deeds.level('error', true),
    w: () => deeds.level('warn', false),
    W: () => deeds.level('warn', true),
    j: () => deeds.step(1),
    k: () => deeds.step(-1),
    z: () => (reading.taste.wrap = !reading.taste.wrap),
    s: () => reading.turnStamps(),
    t: () => deeds.toTime(),
    f: () => deeds.toFilters(),
    End: () => log.follow(),
  };
  const act = acts[event.key];
  if (act) act();
  else if (event.key === 'Escape') return deeds.leave();
  else if (event.key === ' ' && !onButton && !log.over) log.following ? log.pause() : log.follow();
  else return rowKey(event.key, onButton, deeds);
  return true;
}

/** About the line that was chosen. */
function rowKey(key: string, onButton: boolean, deeds: KeyDeeds): boolean {
  const row = deeds.log.current;
  if (row === null) return false;
  const acts: Record<string, () => unknown> = {
    c: () => deeds.copy(row),
    l: () => deeds.link(row),
    x: () => deeds.lookAround(row),
    v: () => deeds.graph(row),
    m: () => deeds.mute(row),
    o: () => deeds.reading.toggleOnly(row.line.process),
  };
  const act = acts[key];
  if (act) act();
  else if (key === 'Enter' && !onButton) deeds.fold(row);
  else return false;
  return true;
}
