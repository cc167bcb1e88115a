/** One conversation with the supervisor, as messages of JSON-RPC. */
export interface Pipe {
  send(message: object): void;
  /** Ends it; `onclose` is not called for it. */
  close(): void;
}

/** What a pipe reports. All of it comes after `open` has answered. */
export interface PipeEvents {
  message(message: unknown): void;
  /** The other side is gone. */
  close(): void;
}

/** How messages get to the supervisor and back. The rest of the page does not know which carrier it has. */
export interface Carrier {
  /** @throws {Refused} when it is no use to try again. Anything else may pass. */
  open(events: PipeEvents): Promise<Pipe>;
}

/** The server is there and does not want us: the token is wrong or missing. */
export class Refused extends Error {
  override readonly name = 'Refused';
}
