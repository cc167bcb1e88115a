/**
 * The supervisor's wall clock, as far as this machine can tell. One tick a second for all that counts time, and none
 * while nobody looks.
 */
class Clock {
  /** Milliseconds since 1970, as the supervisor has them; set once a second. */
  now = $state(Date.now());
  /** How far this machine's clock is ahead. */
  #skew = 0;
  #timer: ReturnType<typeof setInterval> | null = null;

  /** Learns from something that happened just now over there. */
  learn(theirs: number): void {
    if (!Number.isFinite(theirs)) return;
    const skew = Date.now() - theirs;
    // Two seconds are the way of the message, not the clock.
    const near = (known: number) => Math.abs(skew - known) < 2000;
    if (near(this.#skew)) return;
    this.#skew = near(0) ? 0 : skew;
    this.tick();
  }

  /** As `now`, to the millisecond, and nothing follows it. */
  precise(): number {
    return Date.now() - this.#skew;
  }

  tick(): void {
    this.now = this.precise();
  }

  run(): void {
    this.tick();
    this.#timer ??= setInterval(() => this.tick(), 1000);
  }

  halt(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}

export const clock = new Clock();
