import type { Locale } from '../locale.ts';
import { en } from './en.ts';
import type { Texts } from './shape.ts';
import { vi } from './vi.ts';
import { zh } from './zh.ts';

export type { Texts };

const TABLES: Readonly<Record<Locale, Texts>> = { en, vi, zh };

export function textsOf(locale: Locale): Texts {
  return TABLES[locale];
}
