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

/** What Forge itself wrote that a process ended badly: `restarted, exit 1`, `killed by SIGSEGV`. */
export const tellsOfCrash = (line: LogLine): boolean =>
  line.stream === 'forge' && /exit [1-9]|signal|SIG[A-Z]+|crash/i.test(line.text);
