/** A file that is being written. */
export interface SavedFile {
  write(text: string): Promise<void>;
  /** Where it is now, for people. */
  close(): Promise<string>;
  /** Nothing of it stays. */
  abandon(): Promise<void>;
}

/** What the program around the page can do. */
export interface Host {
  /** The page's address is of use to others: a link to it can be opened. */
  readonly hasAddress: boolean;
  /** There is a dialogue for choosing folders. */
  readonly picksFolders: boolean;
  /** The chosen folder; `null`: none was chosen. */
  pickFolder(): Promise<string | null>;
  /** In the browser. Rejects with the reason where there is none. */
  openUrl(url: string): Promise<void>;
  /** Opens a file in the editor. `false`: there is no way to; show the path instead. */
  openPath(path: string): Promise<boolean>;
  /** A new file, at a place that the user chooses if there is a choice; `null`: none was chosen. */
  saveFile(name: string): Promise<SavedFile | null>;
  rememberRoute(route: string): void;
  /** Where to begin, if the address does not say. */
  initialRoute(): Promise<string | null>;
  /** Calls back when a click outside of the page wants another route, from when it has answered. */
  onNavigate(go: (route: string) => void): Promise<void>;
}
