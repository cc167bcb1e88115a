import type { Attachment } from 'svelte/attachments';

/** What can have the focus in a table whose rows are walked with the arrows. */
const ROW = '[data-row]';

const STEPS: Partial<Record<string, number>> = {
  ArrowDown: 1,
  j: 1,
  ArrowUp: -1,
  k: -1,
  Home: -Infinity,
  End: Infinity,
};

const isPlain = (event: KeyboardEvent) => !(event.ctrlKey || event.metaKey || event.altKey);

/** Arrows, J and K, Home and End move the focus from row to row. */
export const rows: Attachment<HTMLElement> = (table) => {
  const walk = (event: KeyboardEvent) => {
    const step = STEPS[event.key];
    if (step === undefined || !isPlain(event) || event.defaultPrevented) return;
    const all = [...table.querySelectorAll<HTMLElement>(ROW)];
    const target = event.target instanceof Element ? event.target : null;
    // An open menu is in the row, and walked by itself.
    if (target?.closest('[role="menu"]')) return;
    const here = target?.closest('tr') ?? null;
    const at = all.findIndex((row) => row === here || (here?.contains(row) ?? false));
    event.preventDefault();
    all[Math.min(Math.max(at + step, 0), all.length - 1)]?.focus();
  };
  table.addEventListener('keydown', walk);
  return () => table.removeEventListener('keydown', walk);
};

/** From nowhere into the page's table, for whoever has not been there yet. `false`: there is none. */
export function enterRows(page: Document = document): boolean {
  const row =
    page.querySelector<HTMLElement>(`main ${ROW}[tabindex="0"]`) ?? page.querySelector<HTMLElement>(`main ${ROW}`);
  row?.focus();
  return row !== null;
}
