import type { Level, LogQuery } from '../api/generated';
import { logQuery } from '../api/requests';

/** A text or an expression that lines have. */
export interface Sought {
  text: string;
  /** `text` is a regular expression. */
  regex: boolean;
  matchCase: boolean;
}

/** What the reader wants to see. */
export interface Filter extends Sought {
  workspace: string;
  environment: string;
  /** Of the environment; empty: all of it. */
  processes: string[];
  /** Empty: all. */
  levels: Level[];
  /** Lines that do not have the text. */
  invert: boolean;
}

export const NOTHING_SOUGHT: Sought = { text: '', regex: false, matchCase: false };

export function queryOf(filter: Filter, more: Partial<LogQuery> = {}): LogQuery {
  const { environment, processes, levels, invert } = filter;
  const names = processes.length === 0 ? [environment] : processes.map((process) => `${environment}/${process}`);
  return logQuery(filter.workspace, names, {
    levels,
    invert: invert && filter.text !== '',
    ...soughtBy(filter),
    ...more,
  });
}

/** As a query says it. */
export function soughtBy(sought: Sought): Pick<LogQuery, 'grep' | 'literal' | 'ignore_case'> {
  const { text, regex, matchCase } = sought;
  return { grep: text === '' ? null : text, literal: !regex, ignore_case: !matchCase };
}

/** So that it means itself to the browser's regular expressions. */
const escape = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** For marking what was found; `null`: nothing is sought, or the browser's dialect has no such expression. */
export function findsOf({ text, regex, matchCase }: Sought): RegExp | null {
  if (text === '') return null;
  try {
    return new RegExp(regex ? text : escape(text), matchCase ? 'gu' : 'giu');
  } catch {
    return null;
  }
}

/** The processes whose lines are shown: none of those that are muted. */
export function heard(all: readonly string[], only: readonly string[], muted: readonly string[]): string[] {
  return (only.length > 0 ? all.filter((name) => only.includes(name)) : [...all]).filter(
    (name) => !muted.includes(name),
  );
}

/**
 * What is asked for, none meaning all. Of a page about one process it is that one, whoever else there is: the others
 * become known later, and a log must not be opened anew under its reader.
 */
export function asked(all: readonly string[], shown: readonly string[], one: string | undefined): string[] {
  return one === undefined && shown.length === all.length ? [] : [...shown];
}
