import { expect, test } from 'vitest';

import { logLine } from '../forge/fixtures';
import { tellsOfCrash } from './words';

// As `Exit::line` of crates/keeper/src/record.rs has them, and what the log's writer says.
test.each([
  ['run 3 exited with 1', true],
  ['run 12 exited with 137', true],
  ['run 3 exited with 10', true],
  ['run 3 exited with -1073741819', true],
  ['run 3 was killed by SIGSEGV', true],
  ['run 3 was killed by SIGKILL', true],
  ['run 3 was killed by signal 99', true],
  ['run 3 exited with 0', false],
  ['run 3 was stopped, and exited with 0', false],
  ['run 3 was stopped, and exited with 1', false],
  ['run 3 was stopped by SIGTERM', false],
  ['run 3 was stopped by SIGKILL', false],
  ['run 3 was stopped by signal 99', false],
  ['run 3 ended, nobody knows how', false],
  ['the line before is cut short: its writer was killed', false],
  ['the clock went back 7 s; times are held until it catches up', false],
])('%j is told as a crash: %j', (text, crash) => {
  expect(tellsOfCrash(logLine(text, { stream: 'forge' }))).toBe(crash);
  expect(tellsOfCrash(logLine(text)), 'a program may print what it wants').toBe(false);
});
