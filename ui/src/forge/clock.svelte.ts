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
    const skew = Date.now() - theirs;
    // Below two seconds it is the way of the message, not the clock.
    this.#skew = Math.abs(skew) < 2000 ? 0 : skew;
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
