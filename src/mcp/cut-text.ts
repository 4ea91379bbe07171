/**
 * At most `maxBytes` of UTF-8, cut between characters, with a last line that says how much there was.
 */
export function cutText(text: string, maxBytes: number): { text: string; cut: boolean } {
  // A UTF-16 unit is at most three bytes: the cheap test spares the count for nearly every result.
  if (text.length * 3 <= maxBytes) return { text, cut: false };
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return { text, cut: false };
  const mark = `\n[cut: ${maxBytes} of ${bytes.length} bytes]`;
  let end = Math.max(maxBytes - mark.length, 0);
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
  return { text: bytes.toString('utf8', 0, end) + mark, cut: true };
}
