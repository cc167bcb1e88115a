// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import MoreFilters from './MoreFilters.svelte';
import { Reading } from './reading.svelte';

beforeEach(() => [localStorage, sessionStorage].forEach((storage) => storage.clear()));
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

async function opened(run?: number) {
  const reading = new Reading('view');
  render(MoreFilters, { reading, run });
  await fireEvent.click(screen.getByTestId('log-filters'));
  return reading;
}

/** Types, and goes on. */
async function put(testid: string, text: string) {
  const field = screen.getByTestId(testid);
  await fireEvent.input(field, { target: { value: text } });
  await fireEvent.change(field);
}

const valueOf = (testid: string) => screen.getByTestId<HTMLInputElement>(testid).value;

test('a time is taken, and shown as the moment that it is', async () => {
  vi.useFakeTimers({ now: new Date(2026, 10, 21, 14, 0, 0).getTime(), toFake: ['Date'] });
  const reading = await opened();
  await put('log-since', '10m ago');
  await put('log-until', '13:55');
  expect([reading.set.since, reading.set.until]).toEqual([
    new Date(2026, 10, 21, 13, 50).getTime(),
    new Date(2026, 10, 21, 13, 55).getTime(),
  ]);
  expect([valueOf('log-since'), valueOf('log-until')]).toEqual(['2026-11-21 13:50:00', '2026-11-21 13:55:00']);
  expect(screen.getByTestId('log-filters-active').textContent).toBe('2');
  await put('log-since', '');
  expect(reading.set.since).toBeNull();
});

test('a bad time is told at its field, with the place, and changes nothing', async () => {
  const reading = await opened();
  await put('log-since', '2026-11-20 08:00');
  const before = reading.set.since;
  await put('log-since', 'yesterday 25:10');
  const told = screen.getByRole('alert');
  expect(told.querySelector('pre')?.textContent).toBe('yesterday 25:10\n          ^');
  expect(told.textContent).toContain('That is no time. Try');
  expect(screen.getByTestId('log-since').getAttribute('aria-invalid')).toBe('true');
  expect(reading.set.since).toBe(before);
  await fireEvent.input(screen.getByTestId('log-since'), { target: { value: 'yesterday 2' } });
  expect(screen.queryByRole('alert')).toBeNull();
});

test('a range that ends before it begins is told', async () => {
  await opened();
  await put('log-since', '2026-11-20 08:00');
  await put('log-until', '2026-11-20 07:00');
  expect(screen.getByRole('alert').textContent).toContain('ends before it begins');
});

test('a run is chosen by its number or as the latest; one that there is not is told', async () => {
  const reading = await opened(7);
  await fireEvent.click(screen.getByText('Previous'));
  expect([reading.set.run, valueOf('log-run')]).toEqual([6, '6']);
  await put('log-run', '2');
  expect(reading.set.run).toBe(2);
  for (const text of ['8', '0', '1.5', 'last']) {
    await put('log-run', text);
    expect(screen.getByRole('alert').textContent, text).toContain('numbered 1 to 7');
    expect(reading.set.run).toBe(2);
  }
});

test('of several processes there is no run to choose: each numbers its own', async () => {
  await opened();
  expect(screen.queryByTestId('log-run')).toBeNull();
});

test('Escape leads back to where it was opened', async () => {
  await opened();
  const sheet = screen.getByRole('dialog');
  expect(sheet.contains(document.activeElement)).toBe(true);
  await fireEvent.keyDown(sheet, { key: 'Escape' });
  expect(screen.queryByRole('dialog')).toBeNull();
  expect(document.activeElement).toBe(screen.getByTestId('log-filters'));
});

test('what was typed is taken by whoever goes on elsewhere, and dropped by Escape', async () => {
  const reading = await opened();
  const type = (text: string) => fireEvent.input(screen.getByTestId('log-since'), { target: { value: text } });
  screen.getByTestId('log-since').focus();
  await type('2026-11-20');
  await fireEvent.keyDown(screen.getByTestId('log-since'), { key: 'Escape' });
  expect(reading.set.since).toBeNull();
  await fireEvent.click(screen.getByTestId('log-filters'));
  expect(valueOf('log-since')).toBe('');
});

test('what was set is cleared with all other filters', async () => {
  const reading = await opened(3);
  Object.assign(reading.set, { text: 'x', stream: 'stderr', run: 1, since: 1, until: 2 });
  await fireEvent.click(await screen.findByText('Clear all filters'));
  expect(reading.filtered).toBe(false);
  expect([valueOf('log-since'), valueOf('log-until'), valueOf('log-run')]).toEqual(['', '', '']);
});
