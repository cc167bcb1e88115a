/**
 * The language of the C locale is called `C`, which is none: whoever asks for the numbers of that language fails. A
 * library of graphs does when it is loaded. Then it is English, as the rest of the page.
 */
export function mendLanguage(navigator: Navigator): void {
  try {
    Intl.getCanonicalLocales(navigator.language);
  } catch {
    Object.defineProperty(navigator, 'language', { value: 'en', configurable: true });
  }
}
