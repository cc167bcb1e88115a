// For tests: things as they come over the wire.
import type {
  Cost,
  EnvironmentSummary,
  LogLine,
  LogsReadAnswer,
  LogsScanAnswer,
  Notice,
  ProcessStatus,
  Series,
  Status,
  Workspace,
} from '../api/generated';
import { NOTHING } from '../api/scan';

export const WORKSPACE = '/home/me/shop';

export function processStatus(name: string, more: Partial<ProcessStatus> = {}): ProcessStatus {
  return {
    name,
    status: 'running',
    ready: true,
    health: { state: 'none', message: null, checked_at: null },
    pid: 100,
    ports: [],
    started_at: '2026-11-21T10:00:00.000Z',
    uptime_seconds: 1,
    restarts: 0,
    exit_code: null,
    signal: null,
    waiting_on: [],
    message: null,
    debug: false,
    cpu_percent: null,
    memory_bytes: null,
    threads: null,
    open_files: null,
    open_files_limit: null,
    disk_read_bytes: null,
    disk_written_bytes: null,
    net_received_bytes: null,
    net_sent_bytes: null,
    gauges: [],
    run: 1,
    outdated: false,
    restart_at: null,
    declared_ports: [],
    url: null,
    wanted: true,
    disabled: false,
    groups: [],
    one_shot: false,
    tty: false,
    ...more,
  };
}

export function status(environment: string, processes: ProcessStatus[], more: Partial<Status> = {}): Status {
  const supervisor = { pid: 1, host: 'serve', version: '0.1.0' } as const;
  return {
    workspace: WORKSPACE,
    environment,
    ready: true,
    supervisor,
    processes,
    events: [],
    warnings: [],
    muted: [],
    url: null,
    machine: null,
    ...more,
  };
}

export function summary(environment: string, more: Partial<EnvironmentSummary> = {}): EnvironmentSummary {
  return {
    workspace: WORKSPACE,
    environment,
    description: null,
    processes: 1,
    running: 1,
    ready: 1,
    state: 'running',
    mood: 'ready',
    active: true,
    startable: false,
    url: null,
    ...more,
  };
}

export function workspace(environments: EnvironmentSummary[], more: Partial<Workspace> = {}): Workspace {
  const file = `${WORKSPACE}/.forge/processes.yml`;
  return { path: WORKSPACE, name: 'shop', file, trusted: true, problem: null, environments, ...more };
}

export function notice(id: string, more: Partial<Notice> = {}): Notice {
  return {
    id,
    time: '2026-11-21T10:00:00.000Z',
    workspace: WORKSPACE,
    environment: 'dev',
    process: 'api',
    kind: 'crash',
    summary: 'api crashed',
    body: 'exit 1',
    actions: [],
    until: null,
    settled: false,
    ...more,
  };
}

export function logLine(text: string, more: Partial<LogLine> = {}): LogLine {
  return {
    time: '2026-11-21T10:00:00.000Z',
    environment: 'dev',
    process: 'api',
    run: 1,
    stream: 'stdout',
    level: null,
    text,
    at: '1:0',
    ...more,
  };
}

export function cost(process: string, more: Partial<Cost> = {}): Cost {
  return {
    process,
    cpu_percent: null,
    memory_bytes: null,
    threads: null,
    open_files: null,
    disk_read_rate: null,
    disk_written_rate: null,
    net_received_rate: null,
    net_sent_rate: null,
    gauges: [],
    ...more,
  };
}

/** What `more` does not have was not measured. */
export function series(process: string, times: number[], more: Partial<Series> = {}): Series {
  const nothing = () => times.map(() => null);
  return {
    process,
    times_ms: times,
    cpu_percent: nothing(),
    cpu_percent_max: nothing(),
    memory_bytes: nothing(),
    threads: nothing(),
    open_files: nothing(),
    disk_read_rate: nothing(),
    disk_written_rate: nothing(),
    net_received_rate: nothing(),
    net_sent_rate: nothing(),
    gauges: [],
    ...more,
  };
}

/** A page of a log. */
export function answer(texts: string[], more: Partial<LogsReadAnswer> = {}): LogsReadAnswer {
  const lines = texts.map((text, at) => logLine(text, { at: `1:${at}` }));
  return { lines, gaps: [], cursor: 'c', previous: 'p', next: 'n', at_end: true, partial: [], ...more };
}

/** All that a scan has to say. */
export function scanned(more: Partial<LogsScanAnswer> = {}): LogsScanAnswer {
  return { ...NOTHING, scanned_bytes: 1, total_bytes: 1, done: true, ...more };
}
