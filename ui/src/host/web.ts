import type { Host } from './host';

/** A browser: it has no folders and no editor of the machine that Forge runs on. */
export const webHost: Host = {
  picksFolders: false,
  pickFolder: () => Promise.resolve(null),
  openUrl: (url) => {
    window.open(url, '_blank', 'noopener');
  },
  openPath: () => Promise.resolve(false),
  rememberRoute: () => {},
  initialRoute: () => Promise.resolve(null),
  onNavigate: () => {},
};
