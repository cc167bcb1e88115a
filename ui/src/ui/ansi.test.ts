import { describe, expect, test } from 'vitest';

import { parseAnsi, stripAnsi } from './ansi';

const ESC = '\x1b';

describe('colours', () => {
  test.each([
    ['plain text', [['plain text', '']]],
    [
      `${ESC}[31mred${ESC}[0m rest`,
      [
        ['red', 'ansi-1'],
        [' rest', ''],
      ],
    ],
    [`${ESC}[1;92mok${ESC}[m`, [['ok', 'ansi-10 ansi-bold']]],
    [
      `${ESC}[31mred${ESC}[39m off`,
      [
        ['red', 'ansi-1'],
        [' off', ''],
      ],
    ],
    [`${ESC}[38;5;196mindexed`, [['indexed', 'ansi-1']]],
    [`${ESC}[38;2;0;0;255mtrue`, [['true', 'ansi-4']]],
    [`${ESC}[38:2::0:255:0mcolons`, [['colons', 'ansi-2']]],
    [`${ESC}[48;5;196mno ground`, [['no ground', '']]],
    [`${ESC}[48;2;1;2;3;31mafter a ground`, [['after a ground', 'ansi-1']]],
    [`${ESC}[31ma${ESC}[31mb`, [['ab', 'ansi-1']]],
  ])('%j', (text, spans) => {
    expect(parseAnsi(text).map((span) => [span.text, span.look])).toEqual(spans);
  });
});

describe('everything else is left out', () => {
  test.each([
    [`${ESC}[2J${ESC}[Hhome`, 'home'],
    [`${ESC}]0;title\x07text`, 'text'],
    [`${ESC}]8;;http://x${ESC}\\link${ESC}]8;;${ESC}\\`, 'link'],
    [`a${ESC}(Bb`, 'ab'],
    [`a${ESC}7b`, 'ab'],
    [`a${ESC}`, 'a'],
    [`a${ESC}[`, 'a'],
    [`a${ESC}[31`, 'a'],
    ['a\rb\x07\0c\x7f', 'abc'],
    ['a\tb', 'a\tb'],
    ['ü 漢 🙂', 'ü 漢 🙂'],
    [`${ESC}Pdevice${ESC}\\x`, 'x'],
  ])('%j', (text, rest) => {
    expect(stripAnsi(text)).toBe(rest);
    expect(
      parseAnsi(text)
        .map((span) => span.text)
        .join(''),
    ).toBe(rest);
  });

  test('a long line of escapes is no long wait', () => {
    const begin = performance.now();
    parseAnsi(`${ESC}]`.repeat(50_000) + `${ESC}[`.repeat(50_000));
    expect(performance.now() - begin).toBeLessThan(10_000);
  });
});
