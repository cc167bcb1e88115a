import type { Refusal } from '../forge/acts.svelte';
import { forgeIn } from '../ui/commands';
import { shortUrl } from '../ui/format';

/** What was refused. */
export function titleOf({ act, names }: Refusal): string {
  if (act === 'open') return `Could not open ${names.map(shortUrl).join(', ')}`;
  return `Could not ${act} ${names.map((name) => name.split('/').at(-1)).join(', ')}`;
}

/** What to type about it: what says why, or does the same. `null`: the page itself leads on. */
export function commandOf({ workspace, names, act, failure }: Refusal): string | null {
  if (act === 'open' || failure.code === 'untrusted') return null;
  // It also names who holds which port.
  if (act === 'start' || failure.code === 'port_conflict') return forgeIn(workspace, 'check');
  return forgeIn(workspace, act, ...names);
}
