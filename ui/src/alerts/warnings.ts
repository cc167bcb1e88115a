import type { Notice, Warning } from '../api/generated';

/** What is measured, or read in logs: the user may want to hear no more of it. The rest is about what to do. */
const MUTABLE = new Set([
  'memory_growth',
  'cpu',
  'open_files',
  'log_growth',
  'error_rate',
  'crash_loop',
  'hog',
  'slow',
  'grew',
]);

export const isMutable = ({ kind }: Warning): boolean => MUTABLE.has(kind);

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
  return notice.kind === 'alert' && `${notice.summary}\n${notice.body}`.includes(warning.text);
}

/** Whose ill health a notice tells of already. */
export const toldUnhealthy = (notices: readonly Notice[]): Set<string | null> =>
  new Set(notices.filter(({ kind }) => kind === 'unhealthy').map(({ process }) => process));
