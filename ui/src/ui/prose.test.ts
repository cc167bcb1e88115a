import { expect, test } from 'vitest';

import { prose } from './prose';

test.each([
  ['', []],
  ['plain', ['plain']],
  ['did you mean `depends_on`?', ['did you mean ', '<depends_on>', '?']],
  ['`a` and `b`', ['<a>', ' and ', '<b>']],
  ['one ` alone', ['one ` alone']],
  ['not over `a\nline`', ['not over `a\nline`']],
  ['`` empty', ['`` empty']],
])('%j', (text, expected) => {
  expect(prose(text).map((part) => (part.code ? `<${part.text}>` : part.text))).toEqual(expected);
});
