/**
 * A part of the old text that became a part of the new one; positions in UTF-16 units, ends exclusive. A list of
 * regions is sorted, without overlaps, and everything between two regions is the same in both texts.
 */
export interface Region {
  readonly oldStart: number;
  readonly oldEnd: number;
  readonly newStart: number;
  readonly newEnd: number;
}

/**
 * The regions from the first text to the third, of those from the first to the second and from the second to the third.
 * Keeps track of what several edits did without comparing whole texts.
 */
export function composeRegions(first: readonly Region[], second: readonly Region[]): Region[] {
  const composed: Region[] = [];
  let a = 0;
  let b = 0;
  // How far the regions behind us moved: first to second text, second to third.
  let firstShift = 0;
  let secondShift = 0;
  while (a < first.length || b < second.length) {
    // In the second text: one piece that takes in all regions touching each other.
    const start = Math.min(first[a]?.newStart ?? Infinity, second[b]?.oldStart ?? Infinity);
    const [firstShiftBefore, secondShiftBefore] = [firstShift, secondShift];
    let end = start;
    for (;;) {
      const nextFirst = first[a];
      const nextSecond = second[b];
      if (nextFirst && nextFirst.newStart <= end) {
        end = Math.max(end, nextFirst.newEnd);
        firstShift += nextFirst.newEnd - nextFirst.newStart - (nextFirst.oldEnd - nextFirst.oldStart);
        a++;
      } else if (nextSecond && nextSecond.oldStart <= end) {
        end = Math.max(end, nextSecond.oldEnd);
        secondShift += nextSecond.newEnd - nextSecond.newStart - (nextSecond.oldEnd - nextSecond.oldStart);
        b++;
      } else break;
    }
    composed.push({
      oldStart: start - firstShiftBefore,
      oldEnd: end - firstShift,
      newStart: start + secondShiftBefore,
      newEnd: end + secondShift,
    });
  }
  return composed;
}
