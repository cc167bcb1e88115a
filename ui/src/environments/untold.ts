import type { Notice, Warning } from '../api/generated';

/**
 * Warnings that the page does not tell anyway. What is unhealthy says so in its row, and a configuration that cannot be
 * used stands above with the line; both have a place of their own where the rest of it is told too.
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
