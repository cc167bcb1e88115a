import type { Cost, EnvironmentSummary, Event, ProcessStatus, Status, Warning } from '../api/generated';
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
  url = $state.raw<string | null>(null);
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
    this.warnings = status.warnings;
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
  setCosts(time: number, costs: Cost[]): void {
    const by = new Map(costs.map((cost) => [cost.process, cost]));
    this.processes = this.processes.map((process) => {
      const cost = by.get(process.name);
      const [cpu, memory] = [cost?.cpu_percent ?? null, cost?.memory_bytes ?? null];
      if (process.cpu_percent === cpu && process.memory_bytes === memory) return process;
      return { ...process, cpu_percent: cpu, memory_bytes: memory };
    });
    this.history.append(time, costs);
  }
}

/** `null` where nothing is known. */
function sum(figures: (number | null)[]): number | null {
  const known = figures.filter((figure) => figure !== null);
  return known.length === 0 ? null : known.reduce((total, figure) => total + figure, 0);
}
