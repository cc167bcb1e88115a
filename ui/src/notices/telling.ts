import type { Notice } from '../api/generated';
import { age } from '../ui/format';

/** What the body says of the countdown, as it stood when it began. */
const COUNTDOWN = /^Restart(s in .+|ing)$/;

/** What a notice says, without what its countdown says better. */
export function bodyOf({ body, until }: Notice): string {
  if (until === null) return body;
  return body
    .split('\n')
    .filter((line) => !COUNTDOWN.test(line))
    .join('\n');
}

/** `restarts in 1m 19s`; `null`: there is no countdown. */
export function countdownOf({ until }: Notice, now: number): string | null {
  if (until === null) return null;
  const left = Date.parse(until) - now;
  return left > 0 ? `restarts in ${age(left + 999)}` : 'restarts now';
}

/** The process that a line begins with (`api did not get ready`), of those that there are. */
export function subjectOf(line: string, processes: readonly string[]): string | null {
  const fits = processes.filter((name) => line.startsWith(name) && /^([ :,]|$)/.test(line.slice(name.length)));
  return fits.toSorted((a, b) => b.length - a.length)[0] ?? null;
}
