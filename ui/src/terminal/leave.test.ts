// @vitest-environment jsdom
import { expect, test } from 'vitest';

import { leaves } from './leave';

test.each<[KeyboardEventInit, boolean]>([
  [{ key: 'Enter', ctrlKey: true, shiftKey: true }, true],
  [{ key: 'Enter', ctrlKey: true }, false],
  [{ key: 'Enter', shiftKey: true }, false],
  [{ key: 'Enter' }, false],
  [{ key: 'Enter', ctrlKey: true, shiftKey: true, altKey: true }, false],
  [{ key: 'Tab', ctrlKey: true, shiftKey: true }, false],
  [{ key: 'Escape' }, false],
])('%j leaves the terminal: %s', (init, expected) => {
  expect(leaves(new KeyboardEvent('keydown', init))).toBe(expected);
});

test('the key leaves once, when it is pressed', () => {
  expect(leaves(new KeyboardEvent('keyup', { key: 'Enter', ctrlKey: true, shiftKey: true }))).toBe(false);
});
