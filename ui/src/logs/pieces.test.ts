import { expect, test } from 'vitest';

import { piecesOf } from './pieces';
import { findsOf, queryOf } from './query';

const show = (text: string, sought: string, regex = false) =>
  piecesOf(text, findsOf({ text: sought, regex })).map((piece) => (piece.found ? `[${piece.text}]` : piece.text));

test('what was sought is marked, upper and lower case alike', () => {
  expect(show('GET /api and Api', 'api')).toEqual(['GET /', '[api]', ' and ', '[Api]']);
});

test('a find goes across colours', () => {
  expect(show('a\x1b[31mp\x1b[0mi!', 'api')).toEqual(['[a]', '[p]', '[i]', '!']);
});

test('what is typed means itself, unless it is an expression', () => {
  expect(show('a.b axb', 'a.b')).toEqual(['[a.b]', ' axb']);
  expect(show('a.b axb', 'a.b', true)).toEqual(['[a.b]', ' ', '[axb]']);
});

test('an expression that is none, or that finds nothing, marks nothing', () => {
  expect(show('text', '(', true)).toEqual(['text']);
  expect(show('text', 'x*', true)).toEqual(['te', '[x]', 't']);
});

test('a query names its processes with their environment', () => {
  const filter = { workspace: '/w', environment: 'dev', processes: ['api'], level: null, text: 'a.b', regex: false };
  expect(queryOf(filter)).toMatchObject({ names: ['dev/api'], grep: 'a\\.b', ignore_case: true });
  expect(queryOf({ ...filter, processes: [], text: '' })).toMatchObject({ names: ['dev'], grep: null });
});
