// The language that frames are asked to speak. Pure.

/** What is spoken where the system names no language. */
const FALLBACK = "en";

/** The first of these that is a language. A system without one says `C`, which no formatter takes. */
export function localeOf(preferred: readonly string[]): string {
  for (const tag of preferred) {
    try {
      const [locale] = Intl.getCanonicalLocales(tag);
      if (locale) return locale;
    } catch {
      // Not a language: the next one is asked.
    }
  }
  return FALLBACK;
}
