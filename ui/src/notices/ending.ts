import type { Conflict, Service } from '../api/failure';
import { list } from '../ui/format';

/** What ending those who hold the ports is called, and what is asked before it is done. */
export interface Ending {
  label: string;
  question: string;
  /** What becomes of them. */
  fate: string;
  confirm: string;
}

const nameOf = ({ environment, process }: Service) => `${environment}/${process}`;

/** Forge's own among those who hold ports, each once. */
export function servicesOf(conflicts: readonly Conflict[]): Service[] {
  const own = conflicts.flatMap(({ service }) => (service ? [service] : []));
  return [...new Map(own.map((one) => [`${one.workspace}\0${nameOf(one)}`, one])).values()];
}

/** In the supervisor's words. `null`: not all of them are known, and so they cannot be ended. */
export function endingOf(conflicts: readonly Conflict[]): Ending | null {
  if (conflicts.some(({ pid, service }) => pid === null && service === null)) return null;
  const own = servicesOf(conflicts).map(nameOf);
  const several = conflicts.length > 1;
  const label = several ? 'Stop them and start' : own[0] ? `Stop ${own[0]} and start` : 'Stop it and start';
  if (own.length === 0)
    return {
      label,
      question: `End what holds the ${several ? 'ports' : 'port'}?`,
      fate: several
        ? 'These are not Forge’s processes. They are asked to end, and killed if they do not.'
        : 'This is not Forge’s process. It is asked to end, and killed if it does not.',
      confirm: several ? 'End them and start' : 'End it and start',
    };
  const rest = conflicts.some(({ service }) => service === null)
    ? ' What is not Forge’s is asked to end, and killed if it does not.'
    : '';
  return {
    label,
    question: several ? 'Stop what holds the ports?' : `Stop ${own[0]}?`,
    fate: `${list(own)} ${own.length > 1 ? 'are' : 'is'} Forge’s own, and stopped in the usual way.${rest}`,
    confirm: several ? 'Stop them and start' : 'Stop it and start',
  };
}

/** What starting on other ports is called. `null`: there is none above the one that is held. */
export function movingOf(conflicts: readonly Conflict[]): string | null {
  const [one] = conflicts;
  if (!one || conflicts.length > 1) return 'Use other ports';
  return one.next === null ? null : `Use port ${one.next}`;
}
