import { invoke } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';

import type { Host } from './host';

export const tauriHost: Host = {
  hasAddress: false,
  picksFolders: true,
  pickFolder: () => invoke<string | null>('pick_folder'),
  openUrl: (url) => invoke<void>('open_url', { url }),
  openPath: (path) =>
    invoke('open_path', { path }).then(
      () => true,
      () => false,
    ),
  saveFile: async (name) => {
    const file = await invoke<{ id: number; path: string } | null>('save_begin', { name });
    if (file === null) return null;
    const { id, path } = file;
    return {
      write: (text) => invoke('save_write', { id, text }),
      close: () => invoke('save_end', { id, keep: true }).then(() => path),
      abandon: () => invoke('save_end', { id, keep: false }),
    };
  },
  rememberRoute: (route) => void invoke('remember_route', { route }),
  initialRoute: () => invoke<string | null>('initial_route'),
  onNavigate: async (go) => void (await listen<string>('navigate', (event) => go(event.payload))),
};
