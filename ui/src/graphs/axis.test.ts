import { expect, test } from 'vitest';

import { Axis } from './axis.svelte';

const NOW = 1_800_000_000_000;
const DAY = 86_400_000;

test('zooming out ends with the day that is kept', () => {
  const axis = new Axis();
  for (let key = 0; key < 60; key += 1) axis.scale(2, NOW);
  expect(axis.zoom).toEqual({ from: NOW - DAY, to: NOW });
});

test('zooming in ends with some seconds around the pinned moment', () => {
  const axis = new Axis();
  axis.pinned = NOW - 60_000;
  for (let key = 0; key < 60; key += 1) axis.scale(0.5, NOW);
  expect(axis.zoom).toEqual({ from: NOW - 65_000, to: NOW - 55_000 });
});
