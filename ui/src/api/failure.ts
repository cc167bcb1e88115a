import type { Code, Error as ApiError, JsonValue } from './generated';

/** An operation was refused: the supervisor's own error, as an exception. */
export class Failure extends Error {
  readonly code: Code;
  readonly help: string | null;
  /** Its shape depends on the code; see the readers below. */
  readonly details: JsonValue | null;

  constructor(error: ApiError) {
    super(error.message);
    this.name = 'Failure';
    this.code = error.code;
    this.help = error.help ?? null;
    this.details = error.details ?? null;
  }

  /** Whatever was thrown, as a failure that can be shown. */
  static from(thrown: unknown): Failure {
    if (thrown instanceof Failure) return thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new Failure({ code: 'protocol', message });
  }
}

/** One thing that is wrong in a configuration: `details.diagnostics` of the code `configuration`. */
export interface Diagnostic {
  file: string;
  /** From 1; 0 where the file as a whole is meant. */
  line: number;
  column: number;
  message: string;
  /** The line itself. */
  source: string;
  label: string | null;
  help: string | null;
}

/** One of Forge's own processes. */
export interface Service {
  workspace: string;
  environment: string;
  process: string;
}

/** A process as it was when that was told: its number alone may be another's by now. */
export interface Holder {
  pid: number;
  started_at: string | null;
}

/** Who holds a port: `details.conflicts` of the code `port_conflict`. */
export interface Conflict {
  process: string;
  port: number;
  pid: number | null;
  holder: string;
  command: string | null;
  /** A name or a number. */
  user: string | null;
  started_at: string | null;
  /** It is Forge's own: it is stopped, not killed. */
  service: Service | null;
  /** The next port that is free. */
  next: number | null;
}

type Fields = { [key in string]: JsonValue };

function list(details: JsonValue | null | undefined, key: string): Fields[] {
  if (details === null || typeof details !== 'object' || Array.isArray(details)) return [];
  const found = details?.[key];
  if (!Array.isArray(found)) return [];
  return found.filter((item): item is Fields => item !== null && typeof item === 'object' && !Array.isArray(item));
}

const text = (value: JsonValue | undefined): string | null => (typeof value === 'string' ? value : null);
const number = (value: JsonValue | undefined): number | null => (typeof value === 'number' ? value : null);

export function diagnosticsOf(error: { details?: JsonValue | null }): Diagnostic[] {
  return list(error.details, 'diagnostics').map((item) => ({
    file: text(item['file']) ?? '',
    line: number(item['line']) ?? 0,
    column: number(item['column']) ?? 0,
    message: text(item['message']) ?? '',
    source: text(item['source']) ?? '',
    label: text(item['label']),
    help: text(item['help']),
  }));
}

function serviceOf(value: JsonValue | undefined): Service | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const [workspace, environment, process] = ['workspace', 'environment', 'process'].map((key) => text(value[key]));
  return workspace && environment && process ? { workspace, environment, process } : null;
}

export function conflictsOf(error: { details?: JsonValue | null }): Conflict[] {
  return list(error.details, 'conflicts').map((item) => ({
    process: text(item['process']) ?? '',
    port: number(item['port']) ?? 0,
    pid: number(item['pid']),
    holder: text(item['holder']) ?? 'another program',
    command: text(item['command']),
    user: text(item['user']),
    started_at: text(item['started_at']),
    service: serviceOf(item['service']),
    next: number(item['next']),
  }));
}
