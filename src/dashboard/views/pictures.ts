import { html } from 'hono/html';
import type { View } from './view.ts';

/** Light modules around the code, without which ISO/IEC 18004 lets a reader miss it on a dark page. */
const QUIET_ZONE = 4;

/** A QR code as one path; dark on light in both colour schemes, as readers of it want. */
export async function qrCode(text: string, label: string): Promise<View> {
  const { encode } = await import('uqr');
  const { data, size } = encode(text, { ecc: 'L', border: QUIET_ZONE });
  let path = '';
  data.forEach((row, y) => {
    for (let x = 0; x < row.length; x++) {
      if (!row[x]) continue;
      const start = x;
      while (row[x + 1]) x++;
      const length = x - start + 1;
      path += `M${start} ${y}h${length}v1h-${length}z`;
    }
  });
  return html`<svg class="qr" viewBox="0 0 ${size} ${size}" role="img" aria-label="${label}" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h${size}v${size}H0z"/><path d="${path}"/></svg>`;
}

/** Bars of equal width, the oldest at the left. */
export function barChart(values: readonly number[], label: string): View {
  const most = Math.max(1, ...values);
  const height = 40;
  return html`<svg class="bars" viewBox="0 0 ${Math.max(1, values.length) * 8} ${height}" preserveAspectRatio="none" role="img" aria-label="${label}">${values.map(
    (value, index) => {
      const tall = value > 0 ? Math.max(2, Math.round((value / most) * height)) : 1;
      return html`<rect x="${index * 8}" y="${height - tall}" width="6" height="${tall}"/>`;
    },
  )}</svg>`;
}
