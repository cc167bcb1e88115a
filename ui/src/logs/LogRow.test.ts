// @vitest-environment jsdom
import { cleanup, render } from '@testing-library/svelte';
import { afterEach, expect, test } from 'vitest';

import { logLine } from '../forge/fixtures';
import LogRow from './LogRow.svelte';

afterEach(cleanup);

const draw = (text: string, sought: RegExp | null = null) =>
  render(LogRow, {
    row: { seq: 0, line: logLine(text), text, cells: text.length },
    sought,
    named: true,
    rows: 1,
    colour: 0,
    marked: false,
  });

test.each([
  '<img src=x onerror=alert(1)>',
  '<script>alert(1)</script>',
  '&lt;b&gt;',
  '\x1b[31m<svg onload=alert(1)>\x1b[0m',
  '{@html "x"}',
])('a line is text, never markup: %j', (text) => {
  const { container } = draw(text);
  expect(container.querySelector('img, script, svg, b')).toBeNull();
  expect(container.textContent).toContain(text.replaceAll(/\x1b\[\d+m/g, ''));
});

test('also where something was found in it', () => {
  const { container } = draw('<img src=x onerror=alert(1)>', /img/gi);
  expect(container.querySelector('img')).toBeNull();
  expect(container.querySelector('mark')?.textContent).toBe('img');
});
