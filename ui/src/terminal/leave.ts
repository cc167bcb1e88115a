/**
 * What leads out of a terminal, where every other key is the program's (WCAG 2.1.2). Programs cannot tell it from
 * Enter, no browser and no desktop takes it, and every keyboard has it.
 */
export const LEAVE: readonly string[] = ['Ctrl', 'Shift', 'Enter'];

export function leaves(event: KeyboardEvent): boolean {
  return event.type === 'keydown' && event.key === 'Enter' && event.ctrlKey && event.shiftKey && !event.altKey;
}
