/** Between what opens a sheet and the sheet, and at least between the sheet and the window's edge. */
const [GAP, MARGIN] = [4, 8];

/** Shows a sheet below what opens it, or above where there is no room, with one of its edges on that one's. */
export function showBeside(sheet: HTMLElement, opener: HTMLElement, edge: 'left' | 'right'): void {
  // In the top layer: no pane cuts it off, and the window is what it is placed in. Old browsers have none.
  sheet.showPopover?.();
  const box = opener.getBoundingClientRect();
  const [width, height] = [sheet.offsetWidth, sheet.offsetHeight];
  const below = box.bottom + GAP + height + MARGIN <= innerHeight;
  sheet.style.top = `${below ? box.bottom + GAP : Math.max(MARGIN, box.top - GAP - height)}px`;
  if (edge === 'right') sheet.style.right = `${innerWidth - box.right}px`;
  else sheet.style.left = `${Math.max(MARGIN, Math.min(box.left, innerWidth - width - MARGIN))}px`;
}
