/**
 * How much of a text a browser's expression may be asked about. The supervisor's takes a time that grows with the text;
 * a browser's tries again and again, for longer than anybody waits: what repeats something that repeats is not asked at
 * all, and of several repetitions in a row only a little text.
 */
export function reachOf(expression: RegExp): number {
  const known = reaches.get(expression);
  if (known !== undefined) return known;
  const [repetitions, nested] = repetitionsOf(expression.source);
  const reach = nested ? 0 : ([Infinity, 4000, 250, 60][repetitions] ?? 0);
  reaches.set(expression, reach);
  return reach;
}

const reaches = new WeakMap<RegExp, number>();

/** How many parts of an expression repeat without a limit, and whether one of them is within another. */
function repetitionsOf(source: string): [number, boolean] {
  let [count, nested] = [0, false];
  /** For each open group, and the whole: whether something in it repeats or is one of several. */
  const inside = [false];
  let closed = false;
  for (let at = 0; at < source.length; at += 1) {
    const sign = source[at] ?? '';
    const groupBefore = closed;
    closed = false;
    if (sign === '\\') at += 1;
    else if (sign === '[') at = endOfClass(source, at);
    else if (sign === '(') inside.push(false);
    else if (sign === '|') inside[inside.length - 1] = true;
    else if (sign === ')') {
      closed = inside.pop() ?? false;
      if (closed) inside[inside.length - 1] = true;
    } else if (sign === '*' || sign === '+' || /^\{\d+,\d*\}/.test(source.slice(at))) {
      count += 1;
      nested ||= groupBefore;
      inside[inside.length - 1] = true;
    }
  }
  return [count, nested];
}

function endOfClass(source: string, start: number): number {
  let at = start + 1;
  while (at < source.length && source[at] !== ']') at += source[at] === '\\' ? 2 : 1;
  return at;
}

/** Where a text has what is sought, as far as the browser is asked. */
export function matchesIn(text: string, sought: RegExp): RegExpExecArray[] {
  const reach = reachOf(sought);
  return reach === 0 ? [] : [...text.slice(0, reach).matchAll(sought)].filter((match) => match[0] !== '');
}
