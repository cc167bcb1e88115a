import { expect, test } from 'vitest';

import { forgeIn } from './commands';

test.each([
  ['/home/me/shop', ['check'], 'forge -C /home/me/shop check'],
  ['/home/me/my shop', ['logs', 'dev/api', '-n', '50'], "forge -C '/home/me/my shop' logs dev/api -n 50"],
  ["/home/me/Ann's $HOME", ['stop', 'dev'], `forge -C '/home/me/Ann'\\''s $HOME' stop dev`],
])('a command for %j names its folder, quoted for a shell', (workspace, words, text) =>
  expect(forgeIn(workspace, ...words)).toBe(text),
);
