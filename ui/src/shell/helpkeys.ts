import { LEAVE } from '../terminal/leave';

const mod = typeof navigator !== 'undefined' && navigator.platform.startsWith('Mac') ? '⌘' : 'Ctrl';

interface Group {
  title: string;
  keys: [keys: string[], what: string][];
}

/** The keys, as the help shows them. */
export const GROUPS: Group[] = [
  {
    title: 'Everywhere',
    keys: [
      [[mod, 'K'], 'Search for anything, do anything'],
      [['?'], 'This help'],
      [[mod, 'B'], 'Narrow or widen the sidebar'],
      [['G', 'H'], 'Home'],
      [['U'], 'Up: from a process to its row in its environment'],
      [['1'], 'First tab; 2 the second, and so on'],
      [['G', 'L'], 'Logs (G P patterns, G O overview, G G graphs, G E events)'],
    ],
  },
  {
    title: 'In a table of processes or environments',
    keys: [
      [['↑', '↓'], 'Into it, and from row to row (also J, K)'],
      [['Enter'], 'Open its page'],
      [['S'], 'Start'],
      [['X'], 'Stop'],
      [['R'], 'Restart'],
      [['L'], 'Its log'],
      [['O'], 'Open its URL'],
    ],
  },
  {
    title: 'In the log',
    keys: [
      [['/'], 'Filter lines'],
      [[mod, 'F'], 'Search among them; Enter the match before, Shift+Enter the one after'],
      [['E'], 'Next error; with Shift the one before'],
      [['W'], 'Next warning; with Shift the one before'],
      [['F'], 'Filter by stream, run, time range'],
      [['T'], 'Go to a time'],
      [['Home'], 'The oldest line that is stored'],
      [['End'], 'Go to the newest line, and follow'],
      [['Space'], 'Pause, or follow again'],
      [['Z'], 'Wrap long lines, or not'],
      [['S'], 'Times: local, UTC, how long ago, none'],
      [['J', 'K'], 'Choose the line below, above; a click does it too, Shift+click several'],
    ],
  },
  {
    title: 'With the line that is chosen',
    keys: [
      [['Enter'], 'Unfold its JSON, or fold it'],
      [['C'], 'Copy it'],
      [['L'], 'Copy a link to it, in the app a command that shows it'],
      [['X'], 'All lines around it; Escape brings the filter back'],
      [['V'], 'Graphs of that moment'],
      [['O'], 'Only its process; M mutes it'],
    ],
  },
  {
    title: 'In graphs',
    keys: [
      [['←', '→'], 'Keep a moment, and move it; with Shift by ten samples'],
      [['Enter'], 'The log at that moment'],
      [['+', '−'], 'Zoom in, zoom out; 0 shows all'],
      [['S'], 'One on top of the other'],
    ],
  },
  {
    title: 'In a terminal',
    keys: [[[...LEAVE], 'Leave it; every other key is the program’s']],
  },
];
