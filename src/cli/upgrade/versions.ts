/** Versions as https://semver.org orders them (section 11), without build metadata. */
const VERSION = /^\d+\.\d+\.\d+(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$/;

export function isVersion(text: string): boolean {
  return text.length <= 64 && VERSION.test(text);
}

/** @returns below 0 when `a` comes before `b`, 0 when they are the same, above 0 when it comes after */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [parts(a), parts(b)];
  for (const index of [0, 1, 2]) {
    const difference = (left.numbers[index] ?? 0) - (right.numbers[index] ?? 0);
    if (difference !== 0) return difference;
  }
  // 1.0.0-rc.1 comes before 1.0.0.
  if (left.labels.length === 0 || right.labels.length === 0) return right.labels.length - left.labels.length;
  const shared = Math.min(left.labels.length, right.labels.length);
  for (let index = 0; index < shared; index++) {
    const difference = compareLabels(left.labels[index] ?? '', right.labels[index] ?? '');
    if (difference !== 0) return difference;
  }
  return left.labels.length - right.labels.length;
}

function parts(version: string): { numbers: number[]; labels: string[] } {
  const dash = version.indexOf('-');
  const core = dash < 0 ? version : version.slice(0, dash);
  return { numbers: core.split('.').map(Number), labels: dash < 0 ? [] : version.slice(dash + 1).split('.') };
}

function compareLabels(a: string, b: string): number {
  const [isNumberA, isNumberB] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (isNumberA && isNumberB) return Number(a) - Number(b);
  if (isNumberA !== isNumberB) return isNumberA ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
