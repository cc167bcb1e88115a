import type { Connection } from './connection';

/** A connection for questions that are answered at once, made when the first is asked, and again when it was lost. */
export class Asking {
  readonly #connect: () => Promise<Connection>;
  #opening: Promise<Connection> | null = null;
  #closed = false;

  constructor(connect: () => Promise<Connection>) {
    this.#connect = connect;
  }

  open(): Promise<Connection> {
    if (this.#opening !== null) return this.#opening;
    const opening = this.#connect().then(
      (connection) => {
        connection.onclose = () => this.#forget(opening);
        if (this.#closed) connection.close();
        return connection;
      },
      (thrown: unknown) => {
        this.#forget(opening);
        throw thrown;
      },
    );
    this.#opening = opening;
    return opening;
  }

  /** Ends all that is being asked: whose connection is gone, for them the supervisor looks no further. */
  cut(): void {
    const opening = this.#opening;
    this.#opening = null;
    void opening?.then((connection) => connection.close()).catch(() => {});
  }

  close(): void {
    this.#closed = true;
    this.cut();
  }

  /** There may be another by now. */
  #forget(opening: Promise<Connection>): void {
    if (this.#opening === opening) this.#opening = null;
  }
}
