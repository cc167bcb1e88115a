import type { Level, LogLine } from '../api/generated';
import type { Host } from '../host/host';
import { hrefOf, type Route } from '../route/route';
import type { Router } from '../route/router.svelte';
import type { Find } from './find.svelte';
import type { KeyDeeds } from './keys';
import type { Row } from './lines';
import type { Log, Start } from './log.svelte';
import type { Reading } from './reading.svelte';
import { forgeIn } from '../ui/commands';
import { textOf } from './words';

/** Milliseconds for which something is said. */
const SAID = 4000;

interface Parts {
  log: Log;
  reading: Reading;
  find: Find;
  router: Router;
  host: Pick<Host, 'hasAddress'>;
  scroller: () => HTMLElement | undefined;
}

/** What one does in a log, step by step: choose lines, copy them, go from one to another, look around one. */
export class Steps implements KeyDeeds {
  /** Rows that were folded open, by their places. */
  unfolded = $state.raw<ReadonlySet<number>>(new Set());
  /** Lines that were chosen together: places from, up to and with. */
  range = $state.raw<[number, number] | null>(null);
  /** All lines are shown, for the sake of one of them. */
  around = $state(false);
  /** For a moment: what was done, or why not. */
  said = $state<string | null>(null);
  readonly log: Log;
  readonly reading: Reading;
  readonly #find: Find;
  readonly #router: Router;
  readonly #host: Pick<Host, 'hasAddress'>;
  readonly #scroller: () => HTMLElement | undefined;
  #target: Start | null = null;
  /** Where reading began last, as long as no line is there that would say it. */
  #last: Start = 'end';
  /** The place of the line at which the mouse was pressed last: that of a long selection is drawn no more. */
  anchor: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor({ log, reading, find, router, host, scroller }: Parts) {
    [this.log, this.reading, this.#find, this.#router] = [log, reading, find, router];
    [this.#host, this.#scroller] = [host, scroller];
  }

  /** What the address, or a notice, leads to. */
  arrive(route: Route, noticed: string | null): void {
    const time = route.time ?? noticed;
    if (route.grep !== undefined) {
      this.reading.clear();
      Object.assign(this.reading.set, { text: route.grep, regex: true, matchCase: true });
    }
    if (time !== null) this.#target = { time };
    const line = lineOf(route);
    if (line === null) return;
    this.#target = { line };
    this.around = this.reading.filtered;
  }

  /** Where to read when what is read changes: the target, or where the reader is. */
  start(): { start: Start; lead: boolean } {
    const target = this.#target;
    this.#target = null;
    [this.unfolded, this.range] = [new Set(), null];
    if (target !== null) this.#last = target;
    else if (this.log.following) this.#last = 'end';
    else {
      const top = this.log.lines.at(this.log.top.seq)?.line;
      if (top) this.#last = { time: top.time };
    }
    return { start: this.#last, lead: target !== null };
  }

  choose(row: Row, extend: boolean): void {
    const from = this.range?.[0] ?? this.log.current?.seq ?? row.seq;
    this.range = extend ? [Math.min(from, row.seq), Math.max(from, row.seq)] : null;
    if (!extend) this.log.choose(row);
  }

  fold(row: Row): void {
    const next = new Set(this.unfolded);
    if (!next.delete(row.seq)) next.add(row.seq);
    this.unfolded = next;
    if (this.log.following) this.log.pause();
    this.log.lines.forget(row.seq);
    this.log.version += 1;
  }

  copy(row: Row): void {
    void this.#toClipboard(this.range === null ? [row] : this.#rows(this.range));
  }

  /** Where no address leads to this page, a command that shows the line. */
  link(row: Row): void {
    if (!this.#host.hasAddress) return void this.#write(commandOf(this.#router.route, row.line), 'Command copied');
    const { time: _time, grep: _grep, ...route } = this.#router.route;
    const href = hrefOf({ ...route, line: `${row.line.process}@${row.line.at}` });
    void this.#write(new URL(href, location.href).href, 'Link copied');
  }

  lookAround(row: Row): void {
    // Where all is shown there is nothing else around it.
    if (!this.reading.filtered) return void this.log.reveal(row.line);
    this.#target = { line: row.line };
    this.around = true;
  }

  mute(row: Row): void {
    this.reading.toggleMuted(row.line.process);
  }

  graph(row: Row): void {
    const { route } = this.#router;
    if (route.page !== 'environment' && route.page !== 'process') return;
    const { time: _time, line: _line, grep: _grep, ...rest } = route;
    this.#router.go({ ...rest, tab: 'graphs', time: row.line.time });
  }

  level(level: Level, back: boolean): void {
    const word = level === 'error' ? 'error' : 'warning';
    const { levels } = this.reading.set;
    if (!this.around && levels.length > 0 && !levels.includes(level)) {
      this.#say(`Lines of the level ${level} are not shown: the chosen levels leave them out`);
      return;
    }
    const none = back ? `No ${word} before this` : `No later ${word}; with Shift to the one before`;
    void this.#go({ levels: [level], level: null }, back, none);
  }

  step(by: number): void {
    const { lines, current, following, top } = this.log;
    const from = current?.seq ?? (following ? lines.next : top.seq + (by > 0 ? -1 : 1));
    const row = lines.at(Math.min(Math.max(from + by, lines.first), lines.next - 1));
    if (!row) return;
    this.range = null;
    if (following) this.log.pause();
    this.log.choose(row);
    this.log.intoSight(row);
  }

  find(): void {
    const field = document.querySelector<HTMLInputElement>('[data-testid="log-find"]');
    this.#find.open = true;
    field?.select();
  }

  findNext(older: boolean): void {
    if (this.#find.open) this.#find.go(older);
    else this.find();
  }

  toTime(): void {
    document.querySelector<HTMLInputElement>('[data-testid="log-time"]')?.focus();
  }

  toFilters(): void {
    document.querySelector<HTMLButtonElement>('[data-testid="log-filters"]')?.click();
  }

  leave(): boolean {
    if (this.#find.open) this.#find.close();
    else if (this.around) this.back();
    else if (this.range !== null) this.range = null;
    else if (this.log.current !== null) this.log.choose(null);
    else return false;
    this.#scroller()?.focus();
    return true;
  }

  /** The filter again, at the line that one had looked around. */
  back(): void {
    const line = this.log.current?.line;
    if (line) this.#target = { line };
    this.around = false;
  }

  /** Several lines are copied as lines; within one the browser knows better what was selected. */
  oncopy(event: ClipboardEvent): void {
    const selects = getSelection()?.isCollapsed === false;
    const rows = selects ? this.#selected() : this.range === null ? [] : this.#rows(this.range);
    if (rows.length === 0) return;
    event.preventDefault();
    event.clipboardData?.setData('text/plain', this.#textOf(rows));
  }

  #selected(): Row[] {
    const selection = getSelection();
    const [from, end] = [seqOf(selection?.anchorNode) ?? this.anchor, seqOf(selection?.focusNode)];
    if (from === undefined || end === undefined || from === end) return [];
    return this.#rows([Math.min(from, end), Math.max(from, end)]);
  }

  #rows([from, last]: [number, number]): Row[] {
    return this.log.lines.slice(from, last + 1);
  }

  #textOf(rows: Row[]): string {
    return rows.map((row) => textOf(row.line, this.reading.taste.copyStamps)).join('\n');
  }

  async #toClipboard(rows: Row[]): Promise<void> {
    await this.#write(this.#textOf(rows), rows.length === 1 ? 'Line copied' : `${rows.length} lines copied`);
  }

  async #write(text: string, done: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      this.#say(done);
    } catch {
      this.#say('The browser does not let the page copy; select and copy it');
    }
  }

  async #go(narrower: Parameters<Log['nearest']>[0], back: boolean, none: string): Promise<void> {
    const { lines, current, following, top } = this.log;
    const from = current?.line ?? (following ? null : lines.at(top.seq)?.line) ?? null;
    const found = await this.log.nearest(narrower, from, back);
    // Whoever has gone back to the end meanwhile is not torn from it.
    if (this.log.following && !following) return;
    this.range = null;
    if (found) await this.log.reveal(found);
    else if (found === null) this.#say(none);
  }

  #say(text: string): void {
    clearTimeout(this.#timer);
    this.said = text;
    this.#timer = setTimeout(() => (this.said = null), SAID);
  }
}

/** Milliseconds around a line that its command shows. */
const AROUND = 10_000;

function commandOf(route: Route, { environment, process, time }: LogLine): string {
  const at = (by: number) => new Date(Date.parse(time) + by).toISOString();
  const workspace = 'workspace' in route ? route.workspace : '.';
  return forgeIn(workspace, 'logs', `${environment}/${process}`, '--since', at(-AROUND), '--until', at(AROUND));
}

/** `api@1:2345`. */
function lineOf(route: Route): Pick<LogLine, 'environment' | 'process' | 'at'> | null {
  const found = /^(.+)@(\d+:\d+)$/.exec(route.line ?? '');
  if (!found || !('environment' in route)) return null;
  return { environment: route.environment, process: found[1] ?? '', at: found[2] ?? '' };
}

function seqOf(node: Node | null | undefined): number | undefined {
  const element = node instanceof Element ? node : node?.parentElement;
  const seq = element?.closest<HTMLElement>('[data-seq]')?.dataset['seq'];
  return seq === undefined ? undefined : Number(seq);
}
