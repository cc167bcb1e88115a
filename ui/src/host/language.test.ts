import { expect, test } from 'vitest';

import { mendLanguage } from './language';

test.each([
  ['C', 'en'],
  ['de-DE', 'de-DE'],
])('the language %s is taken for %s', (language, taken) => {
  const navigator = { language } as Navigator;
  mendLanguage(navigator);
  expect(navigator.language).toBe(taken);
});
