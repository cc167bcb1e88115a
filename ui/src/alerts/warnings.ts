import type { Muted, Notice, Warning } from '../api/generated';

/** What is measured, or read in logs: the user may want to hear no more of it. The rest is about what to do. */
const MUTABLE = new Map([
  ['memory_growth', 'growth of its memory'],
  ['cpu', 'much CPU'],
  ['open_files', 'open files near their limit'],
  ['log_growth', 'a log that grows fast'],
  ['error_rate', 'more errors than usual'],
  ['crash_loop', 'crashing again and again'],
  ['hog', 'what takes most of the machine'],
  ['slow', 'slow work'],
  ['grew', 'numbers that grew'],
]);

export const isMutable = ({ kind }: Warning): boolean => MUTABLE.has(kind);

/** Those that are muted: first what would be told now, then the kinds of which there is nothing at present. */
export function mutedOnes(warnings: readonly Warning[], muted: readonly Muted[]): Warning[] {
  const now = warnings.filter((warning) => warning.muted);
  const silent = muted.filter(({ process, kind }) => !now.some((one) => one.process === process && one.kind === kind));
  const told = ({ process, kind }: Muted) => {
    const text = `${MUTABLE.get(kind) ?? kind}: nothing at present`;
    return { process, kind, text, since: null, muted: true };
  };
  return [...now, ...silent.map(told)];
}

/** What a row is known by while its words change: whose it is, its kind, and which one of those. */
export function keyed(warnings: readonly Warning[]): { key: string; warning: Warning }[] {
  const seen = new Map<string, number>();
  return warnings.map((warning) => {
    const kind = `${warning.process ?? ''}\0${warning.kind}`;
    const number = seen.get(kind) ?? 0;
    seen.set(kind, number + 1);
    return { key: `${kind}\0${number}`, warning };
  });
}

/**
 * Warnings that the page does not tell anyway. What is unhealthy says so in its row or its notice, and a configuration
 * that cannot be used stands above with the line; both have a place of their own where the rest of it is told too.
 */
export function untold(warnings: readonly Warning[], notices: readonly Notice[]): Warning[] {
  return warnings.filter(
    (warning) =>
      warning.kind !== 'unhealthy' &&
      warning.kind !== 'configuration' &&
      !notices.some((notice) => tells(notice, warning)),
  );
}

function tells(notice: Notice, warning: Warning): boolean {
  if (notice.process !== warning.process) return false;
  if (warning.kind === 'crash_loop') return notice.kind === 'crash_loop';
  if (notice.kind !== 'alert') return false;
  // Its words go on with what is measured, and a notice keeps those that it began with.
  return warning.since === notice.time || `${notice.summary}\n${notice.body}`.includes(warning.text);
}

/** Whose ill health a notice tells of already. */
export const toldUnhealthy = (notices: readonly Notice[]): Set<string | null> =>
  new Set(notices.filter(({ kind }) => kind === 'unhealthy').map(({ process }) => process));
