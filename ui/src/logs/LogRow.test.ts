// @vitest-environment jsdom
import { cleanup, render } from '@testing-library/svelte';
import { afterEach, expect, test } from 'vitest';

import type { LogLine } from '../api/generated';
import { logLine } from '../forge/fixtures';
import type { Deeds } from './deeds';
import LogRow from './LogRow.svelte';

afterEach(cleanup);

const draw = (text: string, sought: RegExp | null = null, more: Partial<LogLine> = {}, folded = true) =>
  render(LogRow, {
    row: { seq: 0, line: logLine(text, more), text, cells: text.length, pixels: 0 },
    sought,
    named: true,
    stamps: 'local',
    wrap: false,
    colour: 0,
    current: false,
    chosen: false,
    folded,
    deeds: {} as Deeds,
  });

test.each([
  '<img src=x onerror=alert(1)>',
  '<script>alert(1)</script>',
  '&lt;b&gt;',
  '<svg onload=alert(1)>',
  '{@html "x"}',
])('a line is text, never markup: %j', (text) => {
  const { container } = draw(text);
  expect(container.querySelector('img, script, svg, b')).toBeNull();
  expect(container.textContent).toContain(text);
});

test('also where something was found in it', () => {
  const { container } = draw('<img src=x onerror=alert(1)>', /img/gi);
  expect(container.querySelector('img')).toBeNull();
  expect(container.querySelector('mark')?.textContent).toBe('img');
});

test('what is dressed is dressed by classes and colours, whatever its text', () => {
  const styles = [{ length: 4, foreground: 'red', bold: true }, { length: 3 }, { length: 4, foreground: '#00ff00' }];
  const { container } = draw('<b>x</b><i>', null, { styles });
  expect(container.querySelector('b, i')).toBeNull();
  const [red, green] = [...container.querySelectorAll<HTMLElement>('.text span')];
  expect([red?.textContent, red?.className]).toEqual(['<b>x', 'ansi-1 ansi-bold']);
  expect([green?.textContent, green?.style.color]).toEqual(['><i>', expect.stringContaining('rgb')]);
});

test('JSON that was folded open is keys and values as text', () => {
  const { container } = draw('{"user":"<img src=x>","n":[1,{"<b>":null}]}', null, {}, false);
  expect(container.querySelector('img, b')).toBeNull();
  const tree = container.querySelector('.tree');
  for (const text of ['user', '<img src=x>', '<b>', 'null']) expect(tree?.textContent).toContain(text);
});
