// @vitest-environment jsdom
import { beforeEach, expect, test } from 'vitest';

import { splitToken, takeToken } from './token';

beforeEach(() => sessionStorage.clear());

test.each([
  ['#token=abc', 'abc', ''],
  ['#token=abc&/e/x/dev', 'abc', '/e/x/dev'],
  ['#token=abc/e/x/dev', 'abc', '/e/x/dev'],
  ['#/e/x/dev?notice=1&token=abc', 'abc', '/e/x/dev?notice=1'],
  ['#/e/x/dev?token=abc', 'abc', '/e/x/dev'],
  ['#/e/x/dev?token=abc&notice=1', 'abc', '/e/x/dev?notice=1'],
  ['#/e/x/dev', null, '/e/x/dev'],
  ['', null, ''],
])('%s', (fragment, token, route) => {
  expect(splitToken(fragment)).toEqual({ token, route });
});

test('the token goes out of the address, the route stays, and a reload still has both', () => {
  history.replaceState(null, '', '#token=abc&/e/x/dev');
  expect(takeToken()).toBe('abc');
  expect(location.hash).toBe('#/e/x/dev');
  expect(takeToken()).toBe('abc');
});
