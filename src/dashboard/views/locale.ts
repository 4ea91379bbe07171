/** Languages of the page. */
export const LOCALES = ['en', 'vi', 'zh'] as const;

export type Locale = (typeof LOCALES)[number];

/**
 * The language to answer in.
 *
 * @param acceptLanguage the browser's `Accept-Language`
 * @param chosen `?lang=`, which wins where it names a language of the page
 */
export function chooseLocale(acceptLanguage: string | undefined, chosen?: string): Locale {
  const asked = known(chosen ?? '');
  if (asked !== undefined) return asked;
  const ranked = (acceptLanguage ?? '')
    .split(',', 20)
    .map((entry) => {
      const [tag = '', ...parameters] = entry.split(';').map((part) => part.trim());
      const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1';
      return { locale: known(tag), weight: Number(quality) || 0 };
    })
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight);
  return ranked.find(({ locale }) => locale !== undefined)?.locale ?? 'en';
}

function known(tag: string): Locale | undefined {
  const language = tag.toLowerCase().split('-')[0];
  return LOCALES.find((locale) => locale === language);
}
