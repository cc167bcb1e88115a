/** What the program around the page can do. */
export interface Host {
  /** There is a dialogue for choosing folders. */
  readonly picksFolders: boolean;
  /** The chosen folder; `null`: none was chosen. */
  pickFolder(): Promise<string | null>;
  openUrl(url: string): void;
  /** Opens a file in the editor. `false`: there is no way to; show the path instead. */
  openPath(path: string): Promise<boolean>;
  rememberRoute(route: string): void;
  /** Where to begin, if the address does not say. */
  initialRoute(): Promise<string | null>;
  /** Calls back when a click outside of the page wants another route. */
  onNavigate(go: (route: string) => void): void;
}
