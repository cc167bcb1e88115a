import type { Mark, MarkKind } from '../api/generated';
import type { Window } from './past.svelte';

/** Marks that stand too near to each other to be told apart. */
export interface MarkGroup {
  /** Where the worst of them stands: a share of the width. */
  share: number;
  /** The worst first. */
  marks: Mark[];
}

/** Worst first. */
const ORDER: MarkKind[] = ['crash', 'restart', 'deploy', 'stop', 'start'];
/** A share of the width: what a letter takes. */
const NEAR = 0.02;

export function groupsOf(marks: readonly Mark[], { from, to }: Window): MarkGroup[] {
  const share = (mark: Mark) => (Date.parse(mark.time) - from) / (to - from);
  const groups: Mark[][] = [];
  for (const mark of marks.filter((one) => share(one) >= 0 && share(one) <= 1)) {
    const last = groups.at(-1);
    const first = last?.[0];
    if (last && first && share(mark) - share(first) < NEAR) last.push(mark);
    else groups.push([mark]);
  }
  return groups.flatMap((group) => {
    const worst = group.toSorted((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
    return worst[0] ? [{ share: share(worst[0]), marks: worst }] : [];
  });
}
