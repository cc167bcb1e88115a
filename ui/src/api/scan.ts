import type { Connection } from './connection';
import type { LogQuery, LogsScan, LogsScanAnswer } from './generated';

/** What a scan hands out, beside counts of matches. */
export type Wanted = Partial<Omit<LogsScan, 'query' | 'slot'>>;

/** What a scan says before it has found anything. */
export const NOTHING: LogsScanAnswer = {
  hits: [],
  matched: 0,
  counts: [],
  patterns: [],
  more_patterns: 0,
  forgotten_lines: 0,
  edges_ms: [],
  scanned_bytes: 0,
  total_bytes: 0,
  done: false,
};

/**
 * Looks through the logs in the background and hands over each answer, until all is seen or `signal` says that it is not
 * wanted any more. One scan of each slot at a time: a new one ends the one before.
 * @throws {Failure} the query is refused, or the connection was lost.
 */
export async function scan(
  connection: Connection,
  slot: string,
  query: LogQuery,
  wanted: Wanted,
  take: (answer: LogsScanAnswer) => void,
  signal: AbortSignal,
): Promise<void> {
  const request = { newest_first: true, max_hits: 0, counts: false, patterns: false, buckets: 0, ...wanted };
  const { scan: id } = await connection.call('logs.scan', { query, slot, ...request });
  const end = () => void connection.call('logs.scan.cancel', { scan: id }).catch(() => {});
  if (signal.aborted) return end();
  signal.addEventListener('abort', end, { once: true });
  try {
    for (let done = false; !done && !signal.aborted;) {
      const answer = await connection.call('logs.scan.next', { scan: id });
      if (!signal.aborted) take(answer);
      done = answer.done;
    }
  } catch (thrown) {
    // What was ended has no more to say.
    if (!signal.aborted) throw thrown;
  } finally {
    signal.removeEventListener('abort', end);
  }
}
