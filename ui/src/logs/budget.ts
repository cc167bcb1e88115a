import type { LogsReadAnswer } from '../api/generated';

/** Milliseconds: what is shown follows the fingers, but for a letter that comes right after another. */
export const PATIENCE = 40;

/** Milliseconds after which an answer says how far it came, where few lines fit; and at most. */
const [FIRST, LONGEST] = [50, 8000];

/**
 * How long an answer may take. On a busy machine the time may be over before anything was looked at: whoever then asked
 * for as long again would never get anywhere.
 */
export class Budget {
  milliseconds = FIRST;

  /** To be told of each answer. */
  spent({ lines, at_end }: Pick<LogsReadAnswer, 'lines' | 'at_end'>): void {
    this.milliseconds = lines.length > 0 || at_end ? FIRST : Math.min(this.milliseconds * 2, LONGEST);
  }
}
