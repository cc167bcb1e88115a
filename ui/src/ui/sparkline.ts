/** Samples that a sparkline shows: a minute. */
export const SPARK = 60;

/**
 * The newest values, right-aligned: a short past stands at the right. `null` is a gap. `floor` is the least top of the
 * scale, so that idle noise looks idle.
 */
export function sparkline(
  values: readonly (number | null)[],
  floor: number,
  width: number,
  height: number,
): { line: string; area: string } | null {
  const shown = values.slice(-SPARK);
  const known = shown.filter((value) => value !== null);
  if (known.length < 2) return null;
  const top = Math.max(floor, ...known) * 1.05;
  const step = width / (SPARK - 1);
  const [left, bottom] = [width - (shown.length - 1) * step, height - 1];
  let [line, area] = ['', ''];
  let begin: number | null = null;
  shown.forEach((value, at) => {
    const x = round(left + at * step);
    if (value === null) {
      if (begin !== null) area += `V${height}H${begin}Z`;
      begin = null;
      return;
    }
    const y = round(bottom - (value / top) * (bottom - 1));
    line += `${begin === null ? 'M' : 'L'}${x} ${y}`;
    area += `${begin === null ? 'M' : 'L'}${x} ${y}`;
    begin ??= x;
  });
  if (begin !== null) area += `V${height}H${begin}Z`;
  return { line, area };
}

const round = (value: number) => Math.round(value * 10) / 10;
