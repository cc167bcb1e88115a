import type { LogQuery, LogsRead } from './generated';

/** All lines of what is named; `more` narrows it. */
export function logQuery(workspace: string, names: string[], more: Partial<LogQuery> = {}): LogQuery {
  return {
    workspace,
    names,
    tail: null,
    since: null,
    until: null,
    level: null,
    levels: [],
    grep: null,
    literal: false,
    ignore_case: false,
    invert: false,
    within: null,
    context: 0,
    run: null,
    stream: null,
    ...more,
  };
}

/** The next page from the beginning, or from where `more` says. */
export function logsRead(query: LogQuery, more: Partial<Omit<LogsRead, 'query'>> = {}): LogsRead {
  return {
    query,
    cursor: null,
    anchor: null,
    backward: false,
    max_bytes: null,
    max_lines: null,
    budget_ms: null,
    wait: false,
    partial: false,
    ...more,
  };
}
