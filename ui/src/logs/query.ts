import type { Level, LogQuery } from '../api/generated';
import { logQuery } from '../api/requests';

/** What the reader wants to see. */
export interface Filter {
  workspace: string;
  environment: string;
  /** Of the environment; empty: all of it. */
  processes: string[];
  level: Level | null;
  text: string;
  /** `text` is a regular expression. */
  regex: boolean;
}

/** The newest lines that a log begins with. */
export const TAIL = 5000;

export function queryOf(filter: Filter, tail = TAIL): LogQuery {
  const { environment, processes } = filter;
  const names = processes.length === 0 ? [environment] : processes.map((process) => `${environment}/${process}`);
  const grep = filter.text === '' ? null : patternOf(filter);
  return logQuery(filter.workspace, names, { tail, level: filter.level, grep, ignore_case: true });
}

const patternOf = (filter: Filter) => (filter.regex ? filter.text : escape(filter.text));

/** So that it means itself, to the supervisor's regular expressions and to the browser's. */
const escape = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** For marking what was found; `null`: nothing is sought, or the browser's dialect has no such expression. */
export function findsOf(filter: Pick<Filter, 'text' | 'regex'>): RegExp | null {
  if (filter.text === '') return null;
  try {
    return new RegExp(filter.regex ? filter.text : escape(filter.text), 'gi');
  } catch {
    return null;
  }
}
