const KEY = 'forge.token';

/**
 * Takes the token out of an address's fragment: `#token=T`, `#token=T&/e/…`, `#/e/…&token=T`. What is left is the
 * route.
 */
export function splitToken(fragment: string): { token: string | null; route: string } {
  const bare = fragment.replace(/^#/, '');
  const found = /(^|[?&])token=([^&/]*)/.exec(bare);
  if (!found) return { token: null, route: bare };
  const before = bare.slice(0, found.index);
  const after = bare.slice(found.index + found[0].length).replace(/^&/, '');
  const route = before === '' || after === '' ? before + after : `${before}${found[1]}${after}`;
  return { token: decodeURIComponent(found[2] ?? ''), route };
}

/** The token of this tab; in the address only until it was read, so that no history and no screenshot has it. */
export function takeToken(): string | null {
  const { token, route } = splitToken(location.hash);
  if (token !== null) {
    sessionStorage.setItem(KEY, token);
    history.replaceState(null, '', route === '' ? location.pathname + location.search : `#${route}`);
  }
  return sessionStorage.getItem(KEY);
}

/** Another address of this page put over this one: of it only the fragment may differ, for which nothing is loaded. */
export function reloadForToken(): void {
  addEventListener('hashchange', () => {
    const before = sessionStorage.getItem(KEY);
    if (takeToken() !== before) location.reload();
  });
}

/** The token that this tab has. */
export const knownToken = (): string | null => sessionStorage.getItem(KEY);
