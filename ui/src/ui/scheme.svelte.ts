/** Light or dark, as the system has it. */
class Scheme {
  dark = $state(false);

  constructor() {
    if (typeof matchMedia !== 'function') return;
    const query = matchMedia('(prefers-color-scheme: dark)');
    this.dark = query.matches;
    query.addEventListener('change', () => (this.dark = query.matches));
  }
}

export const scheme = new Scheme();
