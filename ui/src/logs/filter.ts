import type { Level, LogQuery, LogSought, Stream } from '../api/generated';
import { logQuery } from '../api/requests';

/** A text or an expression that lines have. */
export interface Sought {
  text: string;
  /** `text` is a regular expression. */
  regex: boolean;
  matchCase: boolean;
}

/** What must hold for a line, whoever wrote it. */
export interface Conditions extends Sought {
  /** Empty: all. */
  levels: Level[];
  /** Lines that do not have the text. */
  invert: boolean;
  /** `null`: all, as with what follows. */
  stream: Stream | null;
  /** Each process numbers its own from 1. */
  run: number | null;
  /** From this millisecond since 1970 on. */
  since: number | null;
  /** Up to this one, to its end. */
  until: number | null;
}

/** What the reader wants to see. */
export interface Filter extends Conditions {
  workspace: string;
  environment: string;
  /** Of the environment; empty: all of it. */
  processes: string[];
}

export const NOTHING_SOUGHT: Sought = { text: '', regex: false, matchCase: false };

/** Every line. */
export const ALL: Conditions = {
  ...NOTHING_SOUGHT,
  levels: [],
  invert: false,
  stream: null,
  run: null,
  since: null,
  until: null,
};

export function queryOf(filter: Filter, more: Partial<LogQuery> = {}): LogQuery {
  const { environment, processes, levels, invert, stream, run, since, until } = filter;
  const names = processes.length === 0 ? [environment] : processes.map((process) => `${environment}/${process}`);
  return logQuery(filter.workspace, names, {
    levels,
    invert: invert && filter.text !== '',
    stream,
    run,
    since: since === null ? null : new Date(since).toISOString(),
    until: until === null ? null : endOf(until),
    ...soughtBy(filter),
    ...more,
  });
}

/** The last that is still of this millisecond: times are stored in nanoseconds, and shown without them. */
export const endOf = (moment: number) => new Date(moment).toISOString().replace('Z', '999999Z');

/** What was written just now may be stored a little later. */
export const SETTLED = 500;

/** Nothing comes any more: the time is over, or another run has begun. */
export function isOver({ run, until }: Pick<Filter, 'run' | 'until'>, latest: number, now: number): boolean {
  return (until !== null && until + SETTLED < now) || (run !== null && run < latest);
}

/** As a query says it. */
export function soughtBy(sought: Sought): Pick<LogQuery, 'grep' | 'literal' | 'ignore_case'> {
  const { text, regex, matchCase } = sought;
  return { grep: text === '' ? null : text, literal: !regex, ignore_case: !matchCase };
}

/** For what is sought among the lines that a filter shows: its text, as a query says it beside another one. */
export function withinOf({ text, regex, matchCase, invert }: Sought & { invert: boolean }): LogSought | null {
  return text === '' ? null : { text, literal: !regex, ignore_case: !matchCase, invert };
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
