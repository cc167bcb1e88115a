/** Samples that a sparkline shows: a minute. */
export const SPARK = 60;
/** What is steady does not stick to the top. */
const HEADROOM = 1.4;

/**
 * The newest values, right-aligned: a short past stands at the right. `null` is a gap. `floor` is the least top of the
 * scale, so that idle noise looks idle.
 */
export function sparkline(
  values: readonly (number | null)[],
  floor: number,
  width: number,
  height: number,
): string | null {
  const shown = values.slice(-SPARK);
  const known = shown.filter((value) => value !== null);
  if (known.length < 2) return null;
  const top = Math.max(floor, Math.max(...known) * HEADROOM);
  const step = width / (SPARK - 1);
  const [left, bottom] = [width - (shown.length - 1) * step, height - 1];
  let path = '';
  let pen = 'M';
  shown.forEach((value, at) => {
    if (value !== null) path += `${pen}${round(left + at * step)} ${round(bottom - (value / top) * (bottom - 1))}`;
    pen = value === null ? 'M' : 'L';
  });
  return path;
}

const round = (value: number) => Math.round(value * 10) / 10;
