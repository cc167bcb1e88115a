import type { Event, HealthState, Mood, Notice, NoticeKind, ProcessStatus, Warning } from '../api/generated';

/** Told apart without colour. */
export type Shape =
  'disc' | 'ring' | 'arc' | 'dashes' | 'half' | 'check' | 'cross' | 'triangle' | 'diamond' | 'turn' | 'off' | 'dot';

/** The hue, second to the shape and the word. */
export type Tone = 'ok' | 'busy' | 'bad' | 'idle';

export interface Look {
  shape: Shape;
  tone: Tone;
  word: string;
}

export type Mark = Omit<Look, 'word'>;

/**
 * One look a happening, wherever it is told: in a table, a notice, a warning, an event. A cross is a program that
 * ended and should not have, a full triangle one that did not come up.
 */
const MARKS = {
  crashed: { shape: 'cross', tone: 'bad' },
  failed: { shape: 'triangle', tone: 'bad' },
  unhealthy: { shape: 'diamond', tone: 'bad' },
  restarting: { shape: 'turn', tone: 'busy' },
  ready: { shape: 'disc', tone: 'ok' },
  warning: { shape: 'diamond', tone: 'busy' },
  note: { shape: 'dot', tone: 'idle' },
} as const satisfies Record<string, Mark>;

type Happening = keyof typeof MARKS;

const NOTICES: Record<NoticeKind, Happening> = {
  crash: 'crashed',
  crash_loop: 'crashed',
  port_conflict: 'failed',
  start_failed: 'failed',
  unhealthy: 'unhealthy',
  alert: 'warning',
  ready: 'ready',
};

export const markOfNotice = ({ kind, settled }: Notice): Mark => MARKS[settled ? 'ready' : NOTICES[kind]];

/** By the supervisor's titles; those of the configuration's own have their level. */
const EVENTS: Partial<Record<string, Happening>> = {
  crashed: 'crashed',
  'could not be started': 'failed',
  'could not be ended': 'failed',
  unhealthy: 'unhealthy',
  restarting: 'restarting',
  'healthy again': 'ready',
};

const LEVELS = { info: 'note', warn: 'warning', error: 'failed' } as const;

export const markOfEvent = ({ title, level }: Event): Mark => MARKS[EVENTS[title] ?? LEVELS[level]];

const WARNINGS: Partial<Record<string, Happening>> = {
  unhealthy: 'unhealthy',
  crash_loop: 'crashed',
  configuration: 'failed',
};

export const markOfWarning = ({ kind }: Warning): Mark => MARKS[WARNINGS[kind] ?? 'warning'];

/** How a process is, at a glance. */
export function lookOf(process: ProcessStatus): Look {
  switch (process.status) {
    case 'running':
      return running(process);
    case 'exited':
      if (process.one_shot && process.ready) return { shape: 'check', tone: 'ok', word: 'done' };
      return { shape: 'off', tone: 'idle', word: 'exited' };
    case 'waiting':
      return { shape: 'dashes', tone: 'busy', word: 'waiting' };
    case 'starting':
      return { shape: 'arc', tone: 'busy', word: 'starting' };
    case 'stopping':
      return { shape: 'half', tone: 'busy', word: 'stopping' };
    case 'restarting':
      return { ...MARKS.restarting, word: 'restarting' };
    case 'crashed':
      return { ...MARKS.crashed, word: 'crashed' };
    case 'failed':
      // Given up after it ran and ended, or never there.
      return { ...(ending(process) === null ? MARKS.failed : MARKS.crashed), word: 'failed' };
    case 'stopped':
      return { shape: 'ring', tone: 'idle', word: 'stopped' };
  }
}

function running(process: ProcessStatus): Look {
  if (process.health.state === 'unhealthy') return { ...MARKS.unhealthy, word: 'unhealthy' };
  if (process.ready) return { ...MARKS.ready, word: 'ready' };
  return { shape: 'arc', tone: 'busy', word: 'running' };
}

const MOODS: Record<Mood, Mark> = {
  stopped: { shape: 'ring', tone: 'idle' },
  ready: MARKS.ready,
  busy: { shape: 'arc', tone: 'busy' },
  trouble: MARKS.failed,
};

/** How an environment is: its trouble looks like that of the process that has it (`api crashed`). */
export function lookOfMood(mood: Mood, word: string): Look {
  const trouble = /\b(crashed|unhealthy|failed)$/.exec(word)?.[1] as Happening | undefined;
  return { ...(mood === 'trouble' && trouble ? MARKS[trouble] : MOODS[mood]), word };
}

/** What was just asked for, and cannot be seen yet. */
export function lookOfAct(act: 'start' | 'stop' | 'restart' | 'kill'): Look {
  switch (act) {
    case 'start':
      return { shape: 'arc', tone: 'busy', word: 'starting …' };
    case 'restart':
      return { ...MARKS.restarting, word: 'restarting …' };
    case 'stop':
    case 'kill':
      return { shape: 'half', tone: 'busy', word: 'stopping …' };
  }
}

const HEALTH: Record<HealthState, Look> = {
  none: { shape: 'ring', tone: 'idle', word: 'no check' },
  starting: { shape: 'arc', tone: 'busy', word: 'starting' },
  healthy: { ...MARKS.ready, word: 'healthy' },
  unhealthy: { ...MARKS.unhealthy, word: 'unhealthy' },
};

export const lookOfHealth = (state: HealthState): Look => HEALTH[state];

/** How it ended: `exit 1`, `SIGKILL`. */
export function ending(process: ProcessStatus): string | null {
  if (process.signal !== null) return process.signal;
  return process.exit_code === null ? null : `exit ${process.exit_code}`;
}

/** A tree of it may be there, or will be. */
export function isActive(process: ProcessStatus): boolean {
  return ['waiting', 'starting', 'running', 'restarting', 'stopping'].includes(process.status);
}

/** A start would do something. */
export const isStartable = (process: ProcessStatus): boolean =>
  !isActive(process) || process.status === 'restarting' || process.outdated;

/** A stop would do something: also of what is to run and does not. */
export const isStoppable = (process: ProcessStatus): boolean =>
  isActive(process) || (process.wanted && process.status !== 'exited');
