import type { HealthCheckSample } from '../api/generated';

/** `4 ms`, `1.2 s`. */
export function millis(value: number): string {
  if (value >= 1000) return `${(value / 1000).toFixed(1)} s`;
  return value < 10 ? `${+value.toFixed(1)} ms` : `${Math.round(value)} ms`;
}

/** What is drawn of single checks: seconds, and in two rows what passed and what did not. */
export interface Latencies {
  times: number[];
  /** The check of each time; null: nobody checked for a while. */
  checks: (HealthCheckSample | null)[];
  passed: (number | null)[];
  failed: (number | null)[];
}

/** Checks that are this many times as far apart as usual have none between them that a line could stand for. */
const GAP = 5;

export function latenciesOf(known: readonly HealthCheckSample[]): Latencies {
  const moments = known.map(({ time }) => Date.parse(time) / 1000);
  const usual = percentile(
    moments.slice(1).map((moment, at) => moment - (moments[at] ?? 0)),
    0.5,
  );
  const checks: Latencies['checks'] = [];
  const times = moments.flatMap((moment, at) => {
    const before = moments[at - 1];
    const apart = before !== undefined && moment - before > Math.max(1, GAP * (usual ?? 0));
    checks.push(...(apart ? [null] : []), known[at] ?? null);
    return apart ? [(before + moment) / 2, moment] : [moment];
  });
  const row = (passed: boolean) => checks.map((check) => (check?.passed === passed ? check.latency_ms : null));
  return { times, checks, passed: row(true), failed: row(false) };
}

/** The value below which so large a part of them lies. */
export function percentile(values: readonly number[], part: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? null;
}
