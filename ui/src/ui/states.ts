import type { HealthState, Mood, ProcessStatus } from '../api/generated';

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
      return { shape: 'turn', tone: 'busy', word: 'restarting' };
    case 'crashed':
      return { shape: 'cross', tone: 'bad', word: 'crashed' };
    case 'failed':
      return { shape: 'triangle', tone: 'bad', word: 'failed' };
    case 'stopped':
      return { shape: 'ring', tone: 'idle', word: 'stopped' };
  }
}

function running(process: ProcessStatus): Look {
  if (process.health.state === 'unhealthy') return { shape: 'diamond', tone: 'bad', word: 'unhealthy' };
  if (process.ready) return { shape: 'disc', tone: 'ok', word: 'ready' };
  return { shape: 'arc', tone: 'busy', word: 'running' };
}

const MOODS: Record<Mood, Omit<Look, 'word'>> = {
  stopped: { shape: 'ring', tone: 'idle' },
  ready: { shape: 'disc', tone: 'ok' },
  busy: { shape: 'arc', tone: 'busy' },
  trouble: { shape: 'triangle', tone: 'bad' },
};

export function lookOfMood(mood: Mood, word: string): Look {
  return { ...MOODS[mood], word };
}

const HEALTH: Record<HealthState, Look> = {
  none: { shape: 'ring', tone: 'idle', word: 'no check' },
  starting: { shape: 'arc', tone: 'busy', word: 'starting' },
  healthy: { shape: 'disc', tone: 'ok', word: 'healthy' },
  unhealthy: { shape: 'diamond', tone: 'bad', word: 'unhealthy' },
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
