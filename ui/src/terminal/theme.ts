import type { ITheme } from '@xterm/xterm';

const NAMES = [
  'black',
  'red',
  'green',
  'yellow',
  'blue',
  'magenta',
  'cyan',
  'white',
  'brightBlack',
  'brightRed',
  'brightGreen',
  'brightYellow',
  'brightBlue',
  'brightMagenta',
  'brightCyan',
  'brightWhite',
] as const satisfies (keyof ITheme)[];

/** The terminal's colours are the page's. */
export function themeOf(style: CSSStyleDeclaration): ITheme {
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const sixteen = Object.fromEntries(NAMES.map((name, at) => [name, colour(`--ansi-${at}`)]));
  return {
    ...sixteen,
    background: colour('--ground-sunk'),
    foreground: colour('--text'),
    cursor: colour('--accent'),
    cursorAccent: colour('--ground'),
    selectionBackground: colour('--accent-soft'),
  };
}
