import { describe, expect, test } from 'vitest';

import { hrefOf, parseRoute, type Route } from './route';

const workspace = '/home/jö/a b';
const environment = 'dev';

describe('routes', () => {
  const table: [string, Route][] = [
    ['#/', { page: 'home' }],
    ['#/ports', { page: 'ports' }],
    ['#/w/%2Fhome%2Fj%C3%B6%2Fa%20b', { page: 'workspace', workspace }],
    ['#/e/%2Fhome%2Fj%C3%B6%2Fa%20b/dev', { page: 'environment', workspace, environment, tab: 'overview' }],
    ['#/e/%2Fhome%2Fj%C3%B6%2Fa%20b/dev/logs', { page: 'environment', workspace, environment, tab: 'logs' }],
    [
      '#/e/%2Fhome%2Fj%C3%B6%2Fa%20b/dev/p/api',
      { page: 'process', workspace, environment, process: 'api', tab: 'overview' },
    ],
    [
      '#/e/%2Fhome%2Fj%C3%B6%2Fa%20b/dev/p/api/logs?notice=crash%3A1',
      { page: 'process', workspace, environment, process: 'api', tab: 'logs', notice: 'crash:1' },
    ],
    [
      '#/e/%2Fhome%2Fj%C3%B6%2Fa%20b/dev/logs?line=api%403%3A2345',
      { page: 'environment', workspace, environment, tab: 'logs', line: 'api@3:2345' },
    ],
    [
      '#/e/%2Fhome%2Fj%C3%B6%2Fa%20b/dev/logs?time=2026-11-21T10%3A00%3A00.000Z&grep=%5Ea%3Fb',
      { page: 'environment', workspace, environment, tab: 'logs', time: '2026-11-21T10:00:00.000Z', grep: '^a?b' },
    ],
  ];

  test.each(table)('%s is read and written', (href, route) => {
    expect(parseRoute(href)).toEqual(route);
    expect(hrefOf(route)).toBe(href);
  });

  test.each([
    '',
    '#',
    '#/nowhere',
    '#/e',
    '#/e/x',
    '#/e/x/dev/none',
    '#/e/x/dev/p',
    '#/e/x/dev/p/api/none',
    '#/e/x/dev/logs/more',
    '#token=1',
  ])('what is unknown is home: %s', (href) => expect(parseRoute(href)).toEqual({ page: 'home' }));

  test('a broken encoding stands for itself', () => {
    expect(parseRoute('#/e/%E0%A4%A/dev')).toMatchObject({ workspace: '%E0%A4%A' });
  });
});
