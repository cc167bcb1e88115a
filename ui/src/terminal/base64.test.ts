import { expect, test } from 'vitest';

import { fromBase64, toBase64 } from './base64';

test.each(['', 'ls\r', '\x03', 'ü 漢 🙂'])('%j goes and comes', (text) => {
  expect(new TextDecoder().decode(fromBase64(toBase64(text)))).toBe(text);
});
