import type { Connection } from '../api/connection';
import { Failure } from '../api/failure';
import type { LogLine, LogsReadAnswer, LogsTextAnswer } from '../api/generated';
import { logsRead } from '../api/requests';
import type { Forge } from '../forge/forge.svelte';
import type { Host } from '../host/host';
import { queryOf, type Filter } from './filter';
import { jsonLineOf, textOf } from './words';

export type Form = 'text' | 'jsonl';

/** Bytes of text in one answer, about. */
const PAGE = 1 << 20;

/** Milliseconds for one answer: whoever stops it does not wait for longer. */
const BUDGET = 500;

/** Writes all that a filter shows into a file, on a connection of its own. */
export class Save {
  /** Lines so far; `null`: nothing is being saved. */
  lines = $state<number | null>(null);
  /** How it ended; `null`: nothing to say. */
  said = $state<string | null>(null);
  readonly #connect: () => Promise<Connection>;
  readonly #host: Host;
  #ended = new AbortController();

  constructor(connect: () => Promise<Connection>, host: Host) {
    this.#connect = connect;
    this.#host = host;
  }

  /** How it ended was there to be read. */
  seen(): void {
    this.said = null;
  }

  stop(): void {
    this.#ended.abort();
  }

  async run(filter: Filter, form: Form, name: string): Promise<void> {
    if (this.lines !== null) return;
    [this.lines, this.said, this.#ended] = [0, null, new AbortController()];
    try {
      const file = await this.#host.saveFile(`${name}.${form === 'text' ? 'log' : 'jsonl'}`);
      if (file === null) return;
      try {
        await this.#write(filter, form, (text) => file.write(text));
        if (this.#ended.signal.aborted) await file.abandon();
        else this.said = `${this.lines.toLocaleString('en')} lines saved to ${await file.close()}`;
      } catch (thrown) {
        await file.abandon();
        throw thrown;
      }
    } catch (thrown) {
      this.said = `not saved: ${Failure.from(thrown).message}`;
    } finally {
      this.lines = null;
    }
  }

  async #write(filter: Filter, form: Form, write: (text: string) => Promise<void>): Promise<void> {
    const [query, connection] = [queryOf(filter), await this.#connect()];
    let cursor: string | null = null;
    try {
      while (!this.#ended.signal.aborted) {
        const answer: LogsReadAnswer = await connection.call(
          'logs.read',
          logsRead(query, { cursor, max_bytes: PAGE, budget_ms: BUDGET }),
        );
        let texts: string[] = [];
        const flush = async () => {
          if (texts.length > 0) await write(`${texts.join('\n')}\n`);
          this.lines = (this.lines ?? 0) + texts.length;
          texts = [];
        };
        for (const line of answer.lines) {
          if (!line.omitted) texts.push(form === 'text' ? textOf(line, true) : jsonLineOf(line));
          else {
            await flush();
            await this.#writeLong(connection, query.workspace, line, form, write);
          }
        }
        await flush();
        if (answer.at_end) return;
        cursor = answer.next;
      }
    } finally {
      connection.close();
    }
  }

  /** A line that is too long for an answer, piece by piece; where it is gone meanwhile, what the answer had of it. */
  async #writeLong(
    connection: Connection,
    workspace: string,
    line: LogLine,
    form: Form,
    write: (text: string) => Promise<void>,
  ): Promise<void> {
    const { environment, process, at, stream } = line;
    const whole = (text: string) => (form === 'text' ? textOf({ ...line, text }, true) : jsonLineOf({ ...line, text }));
    const bare = whole('');
    const end = form === 'text' ? bare.length : bare.length - '"}'.length;
    let from: string | null = null;
    do {
      let piece: LogsTextAnswer;
      try {
        piece = await connection.call('logs.text', { workspace, environment, process, at, stream, from });
      } catch (thrown) {
        if (from === null) return write(`${whole(line.text)}\n`);
        piece = { text: `… (the rest is missing: ${Failure.from(thrown).message})`, next: null };
      }
      const text = form === 'text' ? piece.text : JSON.stringify(piece.text).slice(1, -1);
      await write(from === null ? `${bare.slice(0, end)}${text}` : text);
      from = piece.next;
    } while (from !== null && !this.#ended.signal.aborted);
    await write(`${bare.slice(end)}\n`);
    this.lines = (this.lines ?? 0) + 1;
  }
}

const saves = new WeakMap<Forge, Map<string, Save>>();

/** That of a view: it goes on while the reader looks at something else, and is found again. */
export function saveOf(forge: Forge, host: Host, view: string): Save {
  const known = saves.get(forge) ?? new Map<string, Save>();
  saves.set(forge, known);
  const save = known.get(view) ?? new Save(() => forge.connect(), host);
  known.set(view, save);
  return save;
}
