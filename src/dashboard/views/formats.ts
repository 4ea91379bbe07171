import type { Locale } from './locale.ts';

/** Numbers as the language writes them. */
export interface Formats {
  number(value: number): string;
  /** Such as "340ms", "3.4s", "2m 5s", "1h 12m". */
  duration(milliseconds: number): string;
  /** Such as "512 bytes", "3.4 kB". */
  size(bytes: number): string;
}

const BCP47: Readonly<Record<Locale, string>> = { en: 'en', vi: 'vi', zh: 'zh-Hans' };

export function formatsOf(locale: Locale): Formats {
  const tag = BCP47[locale];
  const whole = new Intl.NumberFormat(tag);
  const unit = (name: string, unitDisplay: 'narrow' | 'short' | 'long') => {
    const short = new Intl.NumberFormat(tag, {
      style: 'unit',
      unit: name,
      unitDisplay,
      maximumSignificantDigits: 3,
    });
    return (value: number) => short.format(value);
  };
  const ms = unit('millisecond', 'narrow');
  const seconds = unit('second', 'narrow');
  const minutes = unit('minute', 'narrow');
  const hours = unit('hour', 'narrow');
  const sizes = [
    unit('byte', 'long'),
    ...['kilobyte', 'megabyte', 'gigabyte'].map((name) => unit(name, 'short')),
  ];
  return {
    number: (value) => whole.format(value),
    duration(milliseconds) {
      // Rounded first, so that 59.99 s is a minute and not "60s".
      const total = Math.max(0, Math.round(milliseconds / 1000));
      if (milliseconds < 999.5) return ms(Math.max(0, Math.round(milliseconds)));
      if (total < 60) return seconds(Math.min(59, Math.round(milliseconds / 100) / 10));
      const [hour, minute, second] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
      const large = hour > 0 ? [hours(hour), minute > 0 ? minutes(minute) : ''] : [minutes(minute)];
      return [...large, hour === 0 && second > 0 ? seconds(second) : ''].filter(Boolean).join(' ');
    },
    size(bytes) {
      let value = bytes;
      let step = 0;
      while (value >= 999.5 && step < sizes.length - 1) {
        value /= 1000;
        step++;
      }
      return sizes[step]?.(value) ?? '';
    },
  };
}
