import type { Event } from '../api/generated';

const identity = (event: Event) => `${event.time}\0${event.process ?? ''}\0${event.title}\0${event.text}`;

/** What was read, and what came since: each once, oldest first. */
export function merge(past: readonly Event[], live: readonly Event[]): Event[] {
  const known = new Set(past.map(identity));
  return [...past, ...live.filter((event) => !known.has(identity(event)))].sort((a, b) => a.time.localeCompare(b.time));
}
