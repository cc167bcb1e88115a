import type { LogLine } from '../api/generated';

/** A line as text, for a file or the clipboard. */
export function textOf(line: LogLine, stamped: boolean): string {
  return stamped ? `${line.time} ${line.process} ${line.text}` : line.text;
}

/** A line as `forge logs --json` has it. */
export function jsonLineOf(line: LogLine): string {
  const { time, environment, process, run, stream, level, text } = line;
  return JSON.stringify({ time, environment, process, run, stream, level, text });
}

/**
 * What Forge itself wrote that a run ended by itself and badly: `run 3 exited with 1`, `run 3 was killed by SIGSEGV`. A
 * stop that was asked for is none, however it ended, and where nobody knows there is nothing to tell.
 */
export const tellsOfCrash = (line: LogLine): boolean =>
  line.stream === 'forge' && /^run \d+ (exited with (?!0$)-?\d+|was killed by .+)$/.test(line.text);
