import { Asking } from '../api/asking';
import type { Connection } from '../api/connection';
import { Failure } from '../api/failure';
import type { LogAnchor, LogLine, LogQuery, LogsRead, LogsReadAnswer } from '../api/generated';
import { logsRead } from '../api/requests';
import { Budget } from './budget';
import { queryOf, type Filter } from './filter';
import { Lines, type Row } from './lines';
import { Pace } from './pace';
import { Reader } from './reader';

/** Lines that are kept beyond what is in sight, on each side. */
const AROUND = 3000;
/** Of those below, when less than this many are left there is room for more. */
const AHEAD = 1000;
/** Lines of a page. */
const PAGE = 1000;
/** Lines with which a view begins. */
const BEGINNING = 400;
/** Milliseconds before a supervisor that is gone is asked again. */
const AGAIN = 1000;

/** Where a view begins: at the newest line, at a moment (RFC 3339), or at a line. */
export type Start = 'end' | { time: string } | { line: Pick<LogLine, 'environment' | 'process' | 'at'> };

interface Goal {
  start: Exclude<Start, 'end'>;
  /** It is what the reader came for. */
  lead: boolean;
  seam: number;
  reached: () => void;
}

/** What to do with a page that was read; the rest of it is old news when something else was opened meanwhile. */
type Take = (answer: LogsReadAnswer) => void;

/**
 * A window onto the stored lines. It holds some thousand around what is in sight, and reads more on either side as the
 * reader gets near. It changes in place, once a frame: `version` says when.
 */
export class Log {
  readonly lines = new Lines();
  version = $state(0);
  /** The newest line stays in sight. */
  following = $state(true);
  /** Lines that came since it was last followed; `more`: and others, which are not loaded. */
  unseen = $state.raw({ count: 0, more: false });
  /** Behind the newest line: those that have no end yet. */
  partial = $state.raw<readonly LogLine[]>([]);
  /** The first answer is there. */
  loaded = $state(false);
  /** Nothing older is stored; nothing newer. */
  atStart = $state(false);
  atEnd = $state(false);
  failure = $state.raw<Failure | null>(null);
  /** What stands on top while it is not followed, and how many pixels of it are above the edge. */
  top = { seq: 0, offset: 0 };
  /** The line that one has chosen, or was led to. */
  current = $state.raw<Row | null>(null);
  /** Pixels in sight. */
  height = 0;
  /** What comes while it is at the end. */
  onarrival: (lines: readonly LogLine[]) => void = () => {};
  /** It is at the end again; what came before it was not told. */
  onreturn: () => void = () => {};
  readonly #connect: () => Promise<Connection>;
  /** Its own: what nobody waits for any more is ended by closing the connection. */
  readonly #asking: Asking;
  readonly #isOver: () => boolean;
  #query: LogQuery | null = null;
  #reader: Reader | null = null;
  /** Where older lines are read on; `null`: before the first that is there. */
  #previous: string | null = null;
  #turn = 0;
  #older = false;
  /** Of what was begun last. */
  #budget = new Budget();
  /** Questions of this turn that are not answered yet. */
  #asked = 0;
  #hasPage = false;
  /** Who waits for the first page. */
  #awaiting: (() => void)[] = [];
  /** Something else is being opened: what is there now grows no more. */
  #opening = false;
  /** What is to come into sight as soon as it is there; `seam`: the place of the first line behind it. */
  #goal: Goal | null = null;
  #arrived: LogLine[] = [];
  #open: readonly LogLine[] = [];
  #frame = 0;
  readonly #pace = new Pace();

  constructor(connect: () => Promise<Connection>, isOver = () => false) {
    this.#connect = connect;
    this.#asking = new Asking(connect);
    this.#isOver = isOver;
  }

  /** Nothing that fits comes any more: there is nothing to follow. */
  get over(): boolean {
    return this.#isOver();
  }

  /** Shows something from now on, beginning somewhere; `lead`: that is what the reader came for. */
  open(filter: Filter, start: Start, lead: boolean): void {
    this.#query = queryOf(filter);
    void this.#begin(start, true, lead);
  }

  /** As soon as of the filter that was opened last as much is there as is in sight, or all that there is. */
  firstPage(): Promise<void> {
    return this.#hasPage ? Promise.resolve() : new Promise((there) => this.#awaiting.push(there));
  }

  close(): void {
    this.#turn += 1;
    if (this.#asked > 0) this.#asking.cut();
    [this.#asked, this.#older] = [0, false];
    this.#reader?.stop();
    this.#reader = null;
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    [this.#arrived, this.#open, this.partial] = [[], [], []];
    this.#goal?.reached();
    this.#goal = null;
  }

  /** For good. */
  end(): void {
    this.close();
    this.#asking.close();
  }

  follow(): void {
    // What came and was not kept is not read through now.
    const beyond = this.unseen.more || !this.atEnd;
    this.following = true;
    this.unseen = { count: 0, more: false };
    if (this.#reader === null || beyond) void this.#begin('end', false);
    else this.#reader.go();
  }

  pause(): void {
    this.following = false;
  }

  /** Brings a line into sight and marks it, wherever it is stored. */
  async reveal(line: LogLine): Promise<void> {
    const row = this.lines.find(line);
    if (row) this.#show(row);
    else await this.#begin({ line }, false);
  }

  async jump(time: string): Promise<void> {
    await this.#begin({ time }, false);
  }

  /** To the oldest line that is stored. */
  async toStart(): Promise<void> {
    await this.#begin({ time: new Date(0).toISOString() }, false, false);
  }

  /** As little as it takes. */
  intoSight(row: Row): void {
    const [above, high] = [this.lines.topOf(row.seq), this.lines.heightOf(row.seq)];
    const y = this.lines.topOf(this.top.seq) + this.top.offset;
    if (above < y) this.moved(above);
    else if (above + high > y + this.height) this.moved(above + high - this.height);
    this.version += 1;
  }

  /** Nothing is shown, and nothing asked for, until another filter is opened. */
  clear(): void {
    this.close();
    this.#query = null;
    this.lines.clear();
    this.#hasPage = false;
    this.version += 1;
  }

  choose(row: Row | null): void {
    this.current = row;
  }

  /** The reader is at `y` of what is loaded: perhaps near one of its ends. */
  moved(y: number): void {
    const row = this.lines.covering(y);
    this.top = { seq: row, offset: y - this.lines.topOf(row) };
    if (row - this.lines.first < AHEAD / 2) void this.older();
    this.#reader?.go();
  }

  async older(): Promise<void> {
    const [first, turn] = [this.lines.at(this.lines.first), this.#turn];
    if (this.#older || this.#opening || this.atStart || !this.loaded || this.#query === null) return;
    const from: Partial<LogsRead> =
      this.#previous !== null ? { cursor: this.#previous } : { anchor: first ? anchorOf(first.line) : 'end' };
    this.#older = true;
    await this.#ask({ ...from, backward: true, max_lines: PAGE }, (answer) => {
      // An answer that comes late may find other lines there.
      if (this.lines.at(this.lines.first) !== first) return;
      this.#previous = answer.previous;
      this.atStart = answer.at_end;
      this.lines.prepend(answer.lines.filter((line) => !isSame(line, first?.line)));
      this.#dropBelow();
      this.version += 1;
    });
    if (turn !== this.#turn) return;
    this.#older = false;
    this.#tellPage();
    // Where few lines fit, the answer may have been that none was found yet.
    if (!this.atStart && this.lines.topOf(this.top.seq) < this.height && this.failure === null) void this.older();
  }

  /**
   * The nearest line that fits a narrower question, behind or before a line; `null`: there is none, `undefined`: it
   * failed, or something else was opened meanwhile.
   */
  async nearest(narrower: Partial<LogQuery>, from: LogLine | null, backward: boolean) {
    const [query, turn, budget] = [this.#query, this.#turn, new Budget()];
    if (!query) return null;
    let place: Partial<LogsRead> = { anchor: from ? anchorOf(from) : 'end' };
    while (this.#turn === turn) {
      try {
        const answer = await this.#read({ ...query, ...narrower }, { ...place, backward, max_lines: 2 }, budget);
        const fitting = answer.lines.filter((line) => !isSame(line, from));
        const found = backward ? fitting.at(-1) : fitting[0];
        if (found) return found;
        if (answer.at_end) return null;
        place = { cursor: answer.cursor };
      } catch (thrown) {
        const failure = Failure.from(thrown);
        if (failure.code === 'no_supervisor') await new Promise((wake) => setTimeout(wake, AGAIN));
        else if (this.#turn === turn) this.failure = failure;
        if (this.failure !== null) return undefined;
      }
    }
    return undefined;
  }

  async #begin(start: Start, fresh: boolean, lead = true): Promise<void> {
    if (this.#query === null) return;
    this.close();
    const turn = this.#turn;
    this.#budget = new Budget();
    [this.failure, this.following] = [null, start === 'end'];
    this.unseen = { count: 0, more: false };
    if (fresh) {
      this.lines.clear();
      [this.loaded, this.atStart, this.atEnd, this.#hasPage] = [false, false, false, false];
      this.version += 1;
    }
    this.#opening = true;
    const anchor: LogAnchor = start === 'end' ? start : 'time' in start ? start : anchorOf(start.line);
    await this.#ask({ anchor, backward: true, max_lines: BEGINNING }, (answer) => {
      this.lines.clear();
      this.current = null;
      this.lines.append(answer.lines);
      this.#previous = answer.previous;
      this.#opening = false;
      [this.atStart, this.atEnd, this.loaded] = [answer.at_end, start === 'end', true];
      this.top = { seq: this.lines.next, offset: 0 };
      this.#readFrom(start === 'end' ? { cursor: answer.next, anchor: null } : { cursor: null, anchor });
      this.version += 1;
      if (start === 'end' && !fresh) this.onreturn();
    });
    if (turn !== this.#turn) return;
    this.#tellPage();
    if (start === 'end') {
      if (this.lines.height < this.height) void this.older();
    } else {
      await new Promise<void>((reached) => (this.#goal = { start, lead, seam: this.lines.next, reached }));
    }
  }

  /** Once what was asked for is there, it comes into sight. `sure`: the lines behind the place have begun to come. */
  #reach(sure: boolean): void {
    const goal = this.#goal;
    if (goal === null) return;
    const { start, lead, seam } = goal;
    const found = 'time' in start ? undefined : this.lines.find(start.line);
    if (!found && !sure) return;
    this.#goal = null;
    const moment = 'time' in start ? this.lines.since(Date.parse(start.time)) : undefined;
    const row = found ?? moment;
    if (row && lead) this.#show(row);
    // A line that is not among those that are shown: where it would be.
    else this.moved(this.lines.topOf(row?.seq ?? seam));
    this.version += 1;
    goal.reached();
  }

  /** With room above: what came before is what explains it. */
  #show(row: Row): void {
    this.current = row;
    this.following = false;
    const y = Math.max(0, this.lines.topOf(row.seq) - Math.floor(this.height / 3));
    this.moved(y);
    this.version += 1;
  }

  async #ask(request: Partial<LogsRead>, take: Take): Promise<void> {
    const [query, turn, budget] = [this.#query, this.#turn, this.#budget];
    while (query && turn === this.#turn) {
      try {
        const answer = await this.#read(query, request, budget);
        if (turn === this.#turn) take(answer);
        return;
      } catch (thrown) {
        if (turn !== this.#turn) return;
        const failure = Failure.from(thrown);
        if (failure.code !== 'no_supervisor') {
          this.failure = failure;
          return;
        }
        await new Promise((wake) => setTimeout(wake, AGAIN));
      }
    }
  }

  async #read(query: LogQuery, request: Partial<LogsRead>, budget: Budget): Promise<LogsReadAnswer> {
    const turn = this.#turn;
    this.#asked += 1;
    try {
      const connection = await this.#asking.open();
      const more = { ...request, budget_ms: budget.milliseconds };
      const answer = await connection.call('logs.read', logsRead(query, more));
      budget.spent(answer);
      return answer;
    } finally {
      if (turn === this.#turn) this.#asked -= 1;
    }
  }

  #tellPage(): void {
    this.#hasPage ||= this.loaded && (this.atStart || this.lines.height >= this.height);
    if (this.#hasPage) for (const there of this.#awaiting.splice(0)) there();
  }

  #readFrom(place: Pick<LogsRead, 'cursor' | 'anchor'>): void {
    if (!this.#query) return;
    this.#reader?.stop();
    this.#reader = new Reader(this.#connect, this.#query, place, {
      took: (answer) => this.#take(answer),
      late: () => void this.#begin('end', false),
      failed: (failure) => (this.failure = failure),
      rest: () => this.#pace.rest,
      hasRoom: () => this.#hasRoom(),
      follows: () => this.following,
      isOver: this.#isOver,
    });
    this.#reader.go();
  }

  /** Reads on, if it may: a page that nobody sees reads nothing. */
  go(): void {
    this.#reader?.go();
  }

  #hasRoom(): boolean {
    if (document.hidden) return false;
    if (this.following) return true;
    const below = this.lines.next + this.#arrived.length - this.top.seq;
    if (below < AHEAD + this.height / 20) return true;
    // Who has paused at the end is told how many lines came, as far as they are kept.
    if (this.atEnd && below < AROUND) return true;
    if (this.unseen.count > 0) this.unseen = { ...this.unseen, more: true };
    return false;
  }

  /** Shown once a frame, however many answers came in it. */
  #take(answer: LogsReadAnswer): void {
    const last = this.#arrived.at(-1) ?? this.lines.at(this.lines.next - 1)?.line;
    for (const line of answer.lines) if (!isSame(line, last)) this.#arrived.push(line);
    // A supervisor of before says nothing of them.
    this.#open = answer.partial ?? [];
    const wasAtEnd = this.atEnd;
    this.atEnd = this.atEnd || answer.at_end;
    if (!wasAtEnd && this.atEnd) this.onreturn();
    if (wasAtEnd) {
      if (!this.following) this.unseen = { ...this.unseen, count: this.unseen.count + answer.lines.length };
      if (answer.lines.length > 0) this.onarrival(answer.lines);
    }
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#draw());
  }

  #draw(): void {
    this.#frame = 0;
    this.#pace.draws();
    const arrived = this.#arrived;
    this.#arrived = [];
    this.lines.append(arrived);
    if (this.partial.length > 0 || this.#open.length > 0) this.partial = this.#open;
    const above = (this.following ? this.lines.next : this.top.seq) - this.lines.first;
    if (above > AROUND + PAGE) {
      this.lines.dropFirst(above - AROUND);
      [this.#previous, this.atStart] = [null, false];
    }
    this.version += 1;
    this.#reach(arrived.length > 0 || this.atEnd);
  }

  /** What is far below goes; the reader comes back to it by reading on. */
  #dropBelow(): void {
    const below = this.lines.next - this.top.seq;
    if (this.following || below <= AROUND + PAGE) return;
    this.lines.dropLast(below - AROUND);
    const last = this.lines.at(this.lines.next - 1);
    if (!last) return;
    this.atEnd = false;
    this.#arrived = [];
    this.#readFrom({ cursor: null, anchor: anchorOf(last.line) });
  }
}

function anchorOf({ environment, process, at }: Pick<LogLine, 'environment' | 'process' | 'at'>): LogAnchor {
  return { line: { environment, process, at } };
}

function isSame(line: LogLine, other: LogLine | undefined | null): boolean {
  return line.at === other?.at && line.process === other.process && line.environment === other.environment;
}
