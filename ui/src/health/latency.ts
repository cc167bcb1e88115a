import type { HealthCheckSample } from '../api/generated';

/** `4 ms`, `1.2 s`. */
export function millis(value: number): string {
  if (value >= 1000) return `${(value / 1000).toFixed(1)} s`;
  return value < 10 ? `${+value.toFixed(1)} ms` : `${Math.round(value)} ms`;
}

/** What is drawn of single checks: seconds, and in two rows what passed and what did not. */
export interface Latencies {
  times: number[];
  passed: (number | null)[];
  failed: (number | null)[];
}

export function latenciesOf(checks: readonly HealthCheckSample[]): Latencies {
  return {
    times: checks.map(({ time }) => Date.parse(time) / 1000),
    passed: checks.map((check) => (check.passed ? check.latency_ms : null)),
    failed: checks.map((check) => (check.passed ? null : check.latency_ms)),
  };
}

/** The value below which so large a part of them lies. */
export function percentile(values: readonly number[], part: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? null;
}
