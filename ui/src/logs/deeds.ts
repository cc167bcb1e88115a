import type { Row } from './lines';

/** What can be done with one line. */
export interface Deeds {
  fold(row: Row): void;
  copy(row: Row): void;
  /** Its address to the clipboard. */
  link(row: Row): void;
  /** The lines around it, without the filter. */
  lookAround(row: Row): void;
  /** Only its process; what it cost at that moment. */
  graph(row: Row): void;
  mute(row: Row): void;
}
