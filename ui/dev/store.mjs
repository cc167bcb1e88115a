// The logs of the pretended supervisor: paged both ways, and looked through in the background.
const ORDER = ['trace', 'debug', 'info', 'warn', 'error'];
const KEPT = 200_000;
const NAMES = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];

/** A text with simple colours, as it is shown. */
function dressed(raw) {
  const styles = [];
  let text = '';
  let foreground;
  // eslint-disable-next-line no-control-regex
  for (const part of raw.split(/(\x1b\[\d*m)/)) {
    // eslint-disable-next-line no-control-regex
    const code = /^\x1b\[(\d*)m$/.exec(part);
    if (code) foreground = NAMES[Number(code[1]) - 30];
    else if (part !== '') {
      styles.push(foreground ? { length: part.length, foreground } : { length: part.length });
      text += part;
    }
  }
  return styles.some((style) => style.foreground) ? { text, styles } : { text };
}

/** What is sought. Of what the supervisor's expressions have beyond JavaScript's: `(?i)` at the beginning, `(?P<name>…)`. */
function expressionOf({ text, literal, ignore_case }) {
  if (literal) return new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), ignore_case ? 'i' : '');
  const flag = /^\(\?i\)/;
  try {
    return new RegExp(text.replace(flag, '').replaceAll('(?P<', '(?<'), ignore_case || flag.test(text) ? 'i' : '');
  } catch (error) {
    const said = `\`${text}\` is no regular expression: ${error.message}\n\n    ${text}\n    ^`;
    throw Object.assign(new Error(said), { code: 'usage' });
  }
}

export class LogStore {
  #lines = [];
  #dropped = 0;
  #scans = new Map();
  #next = 1;

  add(line) {
    this.#lines.push({ ...line, ...dressed(line.text), at: `1:${this.#dropped + this.#lines.length}` });
    if (this.#lines.length < KEPT) return;
    this.#lines.splice(0, KEPT / 2);
    this.#dropped += KEPT / 2;
  }

  get #end() {
    return this.#dropped + this.#lines.length;
  }

  #fits(query) {
    const only = query.names.map((name) => name.split('/')[1]).filter(Boolean);
    const grep = query.grep === null ? null : expressionOf({ ...query, text: query.grep });
    const within = query.within ? expressionOf(query.within) : null;
    return (each) =>
      (only.length === 0 || only.includes(each.process)) &&
      (grep === null || grep.test(each.text) !== query.invert) &&
      (within === null || within.test(each.text) !== query.within.invert) &&
      (query.stream === null || each.stream === query.stream) &&
      (query.run === null || each.run === query.run) &&
      (query.since === null || Date.parse(each.time) >= Date.parse(query.since)) &&
      (query.until === null || Date.parse(each.time) <= Date.parse(query.until)) &&
      (query.levels.length === 0 || query.levels.includes(each.level ?? 'info')) &&
      (query.level === null || ORDER.indexOf(each.level ?? 'info') >= ORDER.indexOf(query.level));
  }

  #placeOf(anchor) {
    if (anchor === null || anchor === 'end') return anchor === null ? this.#dropped : this.#end;
    if ('line' in anchor) return Number(anchor.line.at.split(':')[1]);
    const found = this.#lines.findIndex((each) => Date.parse(each.time) >= Date.parse(anchor.time));
    return found < 0 ? this.#end : this.#dropped + found;
  }

  async read({ query, cursor, anchor, backward, max_lines, max_bytes, wait }) {
    const fits = this.#fits(query);
    let at = cursor === null ? this.#placeOf(anchor) : Number(cursor);
    if (cursor === null && anchor === null && query.tail !== null) {
      const all = this.#lines.filter(fits);
      const first = all.at(-query.tail) ?? all[0];
      at = first ? Number(first.at.split(':')[1]) : this.#end;
    }
    while (wait && !backward && at >= this.#end) await new Promise((wake) => setTimeout(wake, 20));
    return backward
      ? this.#back(fits, at, max_lines ?? 2000)
      : this.#forth(fits, at, max_lines ?? 1e9, max_bytes ?? 1e6);
  }

  #back(fits, from, most) {
    const lines = [];
    let at = from;
    while (at > this.#dropped && lines.length < most) {
      at -= 1;
      const each = this.#lines[at - this.#dropped];
      if (fits(each)) lines.unshift(each);
    }
    const [cursor, next] = [String(at), String(from)];
    return { lines, gaps: [], cursor, previous: cursor, next, at_end: at <= this.#dropped };
  }

  #forth(fits, from, most, bytes) {
    const lines = [];
    let at = Math.max(from, this.#dropped);
    for (let taken = 0; at < this.#end && lines.length < most && taken < bytes; at += 1) {
      const each = this.#lines[at - this.#dropped];
      if (!fits(each)) continue;
      lines.push(each);
      taken += each.text.length;
    }
    const cursor = String(at);
    return { lines, gaps: [], cursor, previous: String(from), next: cursor, at_end: at >= this.#end };
  }

  scan(request) {
    const id = this.#next++;
    this.#scans.set(id, {
      request,
      fits: this.#fits(request.query),
      at: this.#end,
      first: this.#dropped,
      end: this.#end,
      matched: 0,
      found: [],
      handed: 0,
    });
    return { scan: id };
  }

  cancel({ scan }) {
    this.#scans.delete(scan);
    return {};
  }

  async next({ scan: id }) {
    const scan = this.#scans.get(id);
    if (!scan) throw Object.assign(new Error('there is no such scan'), { code: 'not_found' });
    await new Promise((wake) => setTimeout(wake, 30));
    const hits = [];
    const { request, fits, end, first } = scan;
    const until = Math.max(this.#dropped, scan.at - Math.max(2000, Math.ceil((end - first) / 12)));
    for (; scan.at > until; scan.at -= 1) {
      const each = this.#lines[scan.at - 1 - this.#dropped];
      if (!fits(each)) continue;
      scan.matched += 1;
      scan.found.push(each);
      if (scan.handed < request.max_hits) hits.push(each);
      scan.handed += 1;
    }
    const done = scan.at <= Math.max(first, this.#dropped);
    if (done) this.#scans.delete(id);
    return {
      hits,
      matched: scan.matched,
      ...summed(scan.found, request),
      scanned_bytes: (end - scan.at) * 100,
      total_bytes: (end - first) * 100,
      done,
    };
  }
}

function summed(found, { counts, patterns, buckets }) {
  const times = found.map((each) => Date.parse(each.time));
  const [from, to] = [times.at(-1) ?? 0, (times[0] ?? 0) + 1];
  const edges_ms =
    buckets && found.length > 0
      ? Array.from({ length: buckets + 1 }, (_, i) => Math.round(from + ((to - from) * i) / buckets))
      : [];
  const bucketOf = (each) =>
    Math.min(buckets - 1, Math.floor(((Date.parse(each.time) - from) / (to - from)) * buckets));
  return {
    counts: counts ? countsOf(found, buckets, bucketOf) : [],
    patterns: patterns ? patternsOf(found, buckets, bucketOf) : [],
    edges_ms,
  };
}

function countsOf(found, buckets, bucketOf) {
  const all = new Map();
  for (const each of found) {
    const own = all.get(each.process) ?? {
      environment: 'dev',
      process: each.process,
      error: 0,
      warn: 0,
      info: 0,
      debug: 0,
      trace: 0,
      unstated: 0,
      errors_over_time: new Array(buckets).fill(0),
    };
    own[each.level ?? 'unstated'] += 1;
    if (each.level === 'error' && buckets) own.errors_over_time[bucketOf(each)] += 1;
    all.set(each.process, own);
  }
  return [...all.values()];
}

function patternsOf(found, buckets, bucketOf) {
  const all = new Map();
  for (const each of found) {
    const template = each.text.replaceAll(/\d+/g, '<*>');
    const key = `${each.process} ${template}`;
    const own = all.get(key) ?? {
      template,
      environment: 'dev',
      process: each.process,
      level: each.level,
      count: 0,
      first: each.time,
      last: each.time,
      new: template.includes('pool'),
      example: each.text,
      at: each.at,
      regex: `^${each.text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(/\d+/g, '\\d+')}$`,
      over_time: new Array(buckets).fill(0),
    };
    own.count += 1;
    own.first = each.time < own.first ? each.time : own.first;
    own.last = each.time > own.last ? each.time : own.last;
    if (buckets) own.over_time[bucketOf(each)] += 1;
    all.set(key, own);
  }
  const worst = (one) => ORDER.indexOf(one.level ?? 'info');
  return [...all.values()].sort((a, b) => worst(b) - worst(a) || b.count - a.count).slice(0, 500);
}
