import type { LogLine } from '../api/generated';

/** Puts what was read after a leap to what was read before: no line twice, and a gap says that it is one. */
export class Join {
  /** Of the newest line so far. */
  #last = '';
  /** Up to here everything was given already, since the leap. */
  #until: string | null = null;
  #overlaps = false;

  /** What comes next begins anew, somewhere. */
  skip(): void {
    this.#until = this.#last === '' ? null : this.#last;
    this.#overlaps = false;
  }

  /** The lines that were not given yet, perhaps with one that tells of a gap. */
  next(lines: LogLine[]): LogLine[] {
    const until = this.#until;
    const fresh = until === null ? lines : lines.filter((line) => key(line.time) > until);
    this.#overlaps ||= fresh.length < lines.length;
    const first = fresh[0];
    if (first === undefined) return [];
    this.#last = key(fresh.at(-1)?.time ?? '');
    if (until === null) return fresh;
    this.#until = null;
    return this.#overlaps ? fresh : [gap(first), ...fresh];
  }
}

/** RFC 3339 in UTC with three or nine digits of a second, made comparable. */
const key = (time: string) => time.replace('Z', '').padEnd('2026-11-21T10:00:00.000000000'.length, '0');

function gap(before: LogLine): LogLine {
  const text = 'some lines are left out here, to keep up with the newest';
  return { ...before, process: '', stream: 'forge', level: null, text };
}
