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
        const answer: LogsReadAnswer = await connection.call('logs.read', logsRead(query, { cursor, max_bytes: PAGE }));
        const lines = await Promise.all(answer.lines.map((line) => whole(connection, query.workspace, line)));
        const texts = lines.map((line) => (form === 'text' ? textOf(line, true) : jsonLineOf(line)));
        if (texts.length > 0) await write(`${texts.join('\n')}\n`);
        this.lines = (this.lines ?? 0) + texts.length;
        if (answer.at_end) return;
        cursor = answer.next;
      }
    } finally {
      connection.close();
    }
  }
}

/** Of a line that is too long for an answer, with the rest of its text. */
async function whole(connection: Connection, workspace: string, line: LogLine): Promise<LogLine> {
  if (!line.omitted) return line;
  const { environment, process, at } = line;
  let [text, from]: [string, string | null] = ['', null];
  do {
    const piece: LogsTextAnswer = await connection.call('logs.text', { workspace, environment, process, at, from });
    text += piece.text;
    from = piece.next;
  } while (from !== null);
  return { ...line, text };
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
