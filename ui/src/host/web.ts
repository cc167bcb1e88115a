import type { Host, SavedFile } from './host';

/** A browser: it has no folders and no editor of the machine that Forge runs on. */
export const webHost: Host = {
  hasAddress: true,
  picksFolders: false,
  pickFolder: () => Promise.resolve(null),
  openUrl: (url) => {
    window.open(url, '_blank', 'noopener');
    return Promise.resolve();
  },
  openPath: () => Promise.resolve(false),
  saveFile: (name) => Promise.resolve(download(name)),
  rememberRoute: () => {},
  initialRoute: () => Promise.resolve(null),
  onNavigate: () => Promise.resolve(),
};

/** Offered as a download once it is whole. */
function download(name: string): SavedFile {
  const parts: Blob[] = [];
  return {
    // The browser may put blobs aside; texts would all stay in the page's memory.
    write: (text) => Promise.resolve(void parts.push(new Blob([text]))),
    close: () => {
      const url = URL.createObjectURL(new Blob(parts, { type: 'text/plain' }));
      const link = Object.assign(document.createElement('a'), { href: url, download: name });
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
      return Promise.resolve(name);
    },
    abandon: () => Promise.resolve(),
  };
}
