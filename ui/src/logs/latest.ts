import type { LogLine } from '../api/generated';

/** Milliseconds between two questions, and before one is asked again that failed. */
const [PAUSE, AGAIN] = [200, 1000];

/** Milliseconds since 1970, from and to, both with what lies at them. */
type Span = [since: number, until: number];

/** Asks about the times of which lines have come: one question after another, each for all that came meanwhile. */
export class Latest {
  readonly #ask: (since: number, until: number) => Promise<void>;
  readonly #signal: AbortSignal;
  #span: Span | null = null;
  #running = false;

  constructor(ask: (since: number, until: number) => Promise<void>, signal: AbortSignal) {
    this.#ask = ask;
    this.#signal = signal;
  }

  came(lines: readonly LogLine[]): void {
    for (const { time } of lines) {
      const moment = Date.parse(time);
      this.#widen([moment, moment]);
    }
    if (!this.#running) void this.#run();
  }

  /** Lines may have come within a time, in milliseconds, that nobody has told of. */
  missed(since: number, until: number): void {
    this.#widen([since, until]);
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#span !== null && !this.#signal.aborted) {
      const span = this.#span;
      this.#span = null;
      let pause = PAUSE;
      try {
        await this.#ask(...span);
      } catch {
        this.#widen(span);
        pause = AGAIN;
      }
      await new Promise((wake) => setTimeout(wake, pause));
    }
    this.#running = false;
  }

  #widen([since, until]: Span): void {
    const [from, to] = this.#span ?? [since, until];
    this.#span = [Math.min(from, since), Math.max(to, until)];
  }
}
