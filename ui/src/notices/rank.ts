import type { Notice, NoticeKind } from '../api/generated';

/** Worst first. */
const ORDER: NoticeKind[] = ['crash_loop', 'port_conflict', 'start_failed', 'crash', 'unhealthy', 'alert', 'ready'];

/** Worst first; among equals the newest; what the reader came for before all. */
export function ranked(notices: readonly Notice[], first?: string): Notice[] {
  const rank = (notice: Notice) => (notice.id === first ? -1 : ORDER.indexOf(notice.kind));
  return notices.toSorted((a, b) => rank(a) - rank(b) || b.time.localeCompare(a.time));
}

/** Some kinds are about processes whose last words matter. */
export const hasLastWords = (notice: Notice): boolean =>
  notice.process !== null && ['crash', 'crash_loop', 'unhealthy'].includes(notice.kind);
