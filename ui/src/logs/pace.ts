/** Milliseconds: of a page that draws quickly, and of one that would look as if it stood still. */
const [SHORTEST, LONGEST] = [16, 120];

/**
 * How long a page that is drawn again and again is to be left alone in between: twice as long as drawing took, so that
 * most of its time is for whoever clicks.
 */
export class Pace {
  rest = SHORTEST;

  /** To be called in the frame that draws. */
  draws(now = () => performance.now()): void {
    const begun = now();
    // What is posted within a frame comes after it was painted.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      this.rest = Math.min(Math.max(2 * (now() - begun), SHORTEST), LONGEST);
    };
    port2.postMessage(null);
  }
}
