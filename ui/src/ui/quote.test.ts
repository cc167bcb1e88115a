import { expect, test } from 'vitest';

import { typed } from './quote';

test.each([
  ['npm run dev && echo "done"', 'npm run dev && echo "done"'],
  ['["node","server.js","--port=3000"]', 'node server.js --port=3000'],
  ['["sh","-c","echo it\'s $HOME",""]', `sh -c 'echo it'\\''s $HOME' ''`],
  ['[ -f ready ] && exec server', '[ -f ready ] && exec server'],
  ['[1]', '[1]'],
])('%j is typed %j', (command, text) => expect(typed(command)).toBe(text));
