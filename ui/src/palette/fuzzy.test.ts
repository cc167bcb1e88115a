import { expect, test } from 'vitest';

import { fuzzy, rank } from './fuzzy';

test.each([
  ['', 'anything', []],
  ['api', 'api', [0, 1, 2]],
  ['sa', 'Start api', [0, 6]],
  ['START', 'start api', [0, 1, 2, 3, 4]],
  ['start api', 'Start api', [0, 1, 2, 3, 4, 6, 7, 8]],
])('%j fits %j', (pattern, text, at) => expect(fuzzy(pattern, text)?.at).toEqual(at));

test.each([
  ['x', 'api'],
  ['apii', 'api'],
  ['ipa', 'api'],
])('%j does not fit %j', (pattern, text) => expect(fuzzy(pattern, text)).toBeNull());

test('whole names come before scattered letters, short ones before long ones', () => {
  const names = ['a pile of input', 'Restart api', 'api', 'api-gateway'];
  expect(rank('api', names, (name) => name).map(({ item }) => item)).toEqual([
    'api',
    'api-gateway',
    'Restart api',
    'a pile of input',
  ]);
});

test('nothing typed keeps the order', () => {
  expect(rank(' ', ['b', 'a'], (name) => name).map(({ item }) => item)).toEqual(['b', 'a']);
});

test('of equal texts the one with a bonus is first; no bonus makes up for a bad fit', () => {
  const items = [
    { text: 'Stop dev', bonus: 0 },
    { text: 'Stop dev', bonus: 2 },
    { text: 'scattered top of devices', bonus: 2 },
  ];
  const ranked = rank(
    'stopdev',
    items,
    (item) => item.text,
    (item) => item.bonus,
  );
  expect(ranked.map(({ item }) => item)).toEqual([items[1], items[0], items[2]]);
});
