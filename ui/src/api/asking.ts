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
    this.#opening ??= this.#connect().then(
      (connection) => {
        connection.onclose = () => (this.#opening = null);
        if (this.#closed) connection.close();
        return connection;
      },
      (thrown: unknown) => {
        this.#opening = null;
        throw thrown;
      },
    );
    return this.#opening;
  }

  close(): void {
    this.#closed = true;
    void this.#opening?.then((connection) => connection.close()).catch(() => {});
  }
}
