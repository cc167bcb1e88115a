import type { Row } from './lines';

/** What can be done with one line. */
export interface Deeds {
  fold(row: Row): void;
  copy(row: Row): void;
  /** To the clipboard, what leads others to it. */
  link(row: Row): void;
  /** The lines around it, without the filter. */
  lookAround(row: Row): void;
  /** What its process cost at that moment. */
  graph(row: Row): void;
  /** Only lines of other processes. */
  mute(row: Row): void;
}
