import type { Cost, EnvironmentSummary, Event, Machine, Muted, ProcessStatus, Status, Warning } from '../api/generated';
import { History } from './series.svelte';

/** Events that are kept here; the supervisor remembers more. */
const EVENTS = 200;

/** The mirror of one environment. */
export class Environment {
  readonly workspace: string;
  readonly name: string;
  summary = $state.raw<EnvironmentSummary | null>(null);
  processes = $state.raw<ProcessStatus[]>([]);
  /** Oldest first. */
  events = $state.raw<Event[]>([]);
  warnings = $state.raw<Warning[]>([]);
  muted = $state.raw<Muted[]>([]);
  url = $state.raw<string | null>(null);
  machine = $state.raw<Machine | null>(null);
  readonly history = new History();

  constructor(workspace: string, name: string) {
    this.workspace = workspace;
    this.name = name;
  }

  process(name: string): ProcessStatus | null {
    return this.processes.find((process) => process.name === name) ?? null;
  }

  get cpu(): number | null {
    return sum(this.processes.map((process) => process.cpu_percent));
  }

  get memory(): number | null {
    return sum(this.processes.map((process) => process.memory_bytes));
  }

  /** When the first of those that run now was started. */
  get since(): string | null {
    const alive = this.processes.filter((process) => process.status === 'running' && !process.one_shot);
    const starts = alive.map((process) => process.started_at).filter((time) => time !== null);
    return starts.sort()[0] ?? null;
  }

  replace(status: Status): void {
    this.processes = status.processes;
    this.events = status.events;
    this.warn(status);
    this.machine = status.machine;
  }

  /** Of what no update of its own tells. */
  warn(status: Status): void {
    this.warnings = status.warnings;
    this.muted = status.muted;
    this.url = status.url;
  }

  setProcess(process: ProcessStatus): void {
    const at = this.processes.findIndex((other) => other.name === process.name);
    this.processes = at < 0 ? [...this.processes, process] : this.processes.with(at, process);
  }

  addEvent(event: Event): void {
    this.events = [...this.events.slice(1 - EVENTS), event];
  }

  /** Who is not in `costs` costs nothing that anybody knows of. */
  setCosts(time: number, costs: Cost[], machine: Machine | null): void {
    const by = new Map(costs.map((cost) => [cost.process, cost]));
    this.processes = this.processes.map((process) => {
      const cost = by.get(process.name);
      if (!cost && process.cpu_percent === null && process.memory_bytes === null) return process;
      return {
        ...process,
        cpu_percent: cost?.cpu_percent ?? null,
        memory_bytes: cost?.memory_bytes ?? null,
        threads: cost?.threads ?? null,
        open_files: cost?.open_files ?? null,
        gauges: cost?.gauges ?? [],
      };
    });
    if (machine !== null) this.machine = machine;
    this.history.append(time, costs, machine);
  }
}

/** `null` where nothing is known. */
function sum(figures: (number | null)[]): number | null {
  const known = figures.filter((figure) => figure !== null);
  return known.length === 0 ? null : known.reduce((total, figure) => total + figure, 0);
}
