import type uPlot from 'uplot';

import type { Mark, MarkKind } from '../api/generated';
import { clockTime, dayOf } from '../ui/format';
import type { Line } from './grid';

/** Pixels of the axis at the left, and of what is left free at the right. */
export const [LEFT, RIGHT] = [64, 16];
const FONT = '11px ui-sans-serif, Inter, system-ui, sans-serif';

/** `14:30:15`, or of a long time `14:30` and at midnight `21 Nov`, in the reader's own time zone. */
function timeOf(seconds: number, long: boolean): string {
  const date = new Date(seconds * 1000);
  const time = clockTime(date.toISOString());
  if (!long) return time;
  if (date.getHours() === 0 && date.getMinutes() === 0) return dayOf(date);
  return time.slice(0, 5);
}

/** Strong for what went wrong, faint for what was wanted. */
export const MARKS: Record<MarkKind, { colour: string; strength: number; letter: string }> = {
  crash: { colour: '--bad', strength: 0.9, letter: '✕' },
  restart: { colour: '--busy', strength: 0.7, letter: '↻' },
  deploy: { colour: '--accent', strength: 0.7, letter: '▲' },
  start: { colour: '--text-3', strength: 0.35, letter: '▸' },
  stop: { colour: '--text-3', strength: 0.35, letter: '■' },
};

export interface Look {
  timeAxis: boolean;
  stacked: boolean;
  format: (value: number) => string;
  floor: number;
}

/** What the pointer does; in seconds. */
export interface Acts {
  cursor(time: number | null): void;
  zoom(from: number, to: number): void;
  reset(): void;
  pin(time: number): void;
}

const colourOf = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Colours and sizes from the page's style, so that light and dark are its affair. */
export function optionsOf(
  lines: readonly Line[],
  size: { width: number; height: number },
  look: Look,
  acts: Acts,
  verticals: () => { marks: readonly Mark[]; pinned: number | null },
): uPlot.Options {
  const axis: uPlot.Axis = { stroke: colourOf('--text-3'), font: FONT, ticks: { show: false } };
  const grid = { stroke: colourOf('--line'), width: 1 };
  const long = (self: uPlot) => (self.scales['x']?.max ?? 0) - (self.scales['x']?.min ?? 0) > 7200;
  return {
    ...size,
    legend: { show: false },
    cursor: { sync: { key: 'forge', setSeries: false }, points: { size: 5 }, y: false, ...dragging(acts) },
    padding: [8, RIGHT, look.timeAxis ? 0 : 8, 0],
    scales: { y: { range: (_, __, top) => [0, Math.max(look.floor, (top ?? 0) * 1.1)] } },
    axes: [
      {
        ...axis,
        size: look.timeAxis ? 28 : 4,
        grid,
        space: 80,
        values: (self, ticks) => ticks.map((tick) => (look.timeAxis ? timeOf(tick, long(self)) : '')),
      },
      { ...axis, size: LEFT, grid, space: 36, values: (_, ticks) => ticks.map(look.format) },
    ],
    series: [{}, ...lines.map((line) => seriesOf(line, look.stacked))],
    hooks: hooksOf(acts, verticals),
  };
}

function dragging(acts: Acts): uPlot.Cursor {
  return {
    drag: { x: true, y: false, setScale: false },
    bind: {
      // All charts are reset together, by the page.
      dblclick: () => () => {
        acts.reset();
        return null;
      },
    },
  };
}

function seriesOf(line: Line, stacked: boolean): uPlot.Series {
  const stroke = colourOf(`--process-${line.colour}`);
  return {
    label: line.name,
    show: line.shown,
    stroke,
    width: 1.5,
    ...(stacked && { fill: `color-mix(in srgb, ${stroke} 30%, ${colourOf('--ground')})` }),
    ...(line.dashed && { dash: [5, 3] }),
    points: { show: false },
  };
}

function hooksOf(acts: Acts, verticals: Parameters<typeof optionsOf>[4]): uPlot.Hooks.Arrays {
  return {
    setCursor: [(self) => acts.cursor(self.cursor.idx == null ? null : (self.data[0][self.cursor.idx] ?? null))],
    setSelect: [
      (self) => {
        const { left, width } = self.select;
        if (width > 0) acts.zoom(self.posToVal(left, 'x'), self.posToVal(left + width, 'x'));
        self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
      },
    ],
    ready: [
      (self) =>
        self.over.addEventListener('click', (event) => {
          if (event.detail === 1) acts.pin(self.posToVal(event.offsetX, 'x'));
        }),
    ],
    draw: [(self) => drawVerticals(self, verticals())],
  };
}

function drawVerticals(self: uPlot, { marks, pinned }: ReturnType<Parameters<typeof optionsOf>[4]>): void {
  const { ctx, bbox } = self;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  const line = (seconds: number, colour: string, strength: number, dash: number[]) => {
    const x = Math.round(self.valToPos(seconds, 'x', true)) + 0.5;
    [ctx.globalAlpha, ctx.strokeStyle, ctx.lineWidth] = [strength, colourOf(colour), devicePixelRatio];
    ctx.setLineDash(dash);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  };
  for (const mark of marks) {
    const { colour, strength } = MARKS[mark.kind];
    line(Date.parse(mark.time) / 1000, colour, strength, mark.kind === 'start' || mark.kind === 'stop' ? [2, 3] : []);
  }
  if (pinned !== null) line(pinned / 1000, '--accent', 1, []);
  ctx.restore();
}
