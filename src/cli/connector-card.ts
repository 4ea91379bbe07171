import { colours, forTerminal } from '../runtime/terminal.ts';
import type { TunnelAddress } from '../tunnel/types.ts';

export interface ConnectorCard {
  readonly address: TunnelAddress;
  /** The first folder that is served. */
  readonly folder: string;
  readonly auth: 'oauth' | 'url' | 'none';
  /** With `url`: the path with the secret. */
  readonly secretPath?: string | undefined;
  /** False when answers are collected on the way and so leave whole and sooner. */
  readonly streams?: boolean;
}

export const CONNECTOR_NAME = 'local-coder';

/** What the form is told of the server. @param folder the first folder that is served */
export function connectorDescription(folder: string): string {
  return `Files, search, shell and git of ${folder} on my own machine`;
}

export interface CardStream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** Columns from which there is room for a QR code beside nothing else. */
const WIDE = 80;

/** What ChatGPT's form asks for, field by field, once the address is proven. */
export async function connectorCard(card: ConnectorCard, stream: CardStream): Promise<string> {
  const { bold, dim } = colours({ isTTY: stream.isTTY === true });
  const { address } = card;
  const description = forTerminal(connectorDescription(card.folder));
  const where = 'https://chatgpt.com/plugins → + → Add custom MCP server';
  const lines =
    address.kind !== 'tunnel-id'
      ? [
          `  Name            ${CONNECTOR_NAME}`,
          `  Description     ${description}`,
          `  Server URL      ${bold(urlOf(card, stream))}`,
          `  Authentication  ${address.kind === 'relay' ? `OAuth (sign in at the relay as ${forTerminal(address.account)})` : authentication(card.auth)}`,
        ]
      : [
          `  Name            ${CONNECTOR_NAME}`,
          `  Description     ${description}`,
          `  Connection      Tunnel, ${bold(address.id)}${address.name === undefined ? '' : ` (${forTerminal(address.name)})`}`,
          `  Authentication  No authentication ${dim('(the tunnel service lets only your organization in)')}`,
        ];
  return [
    '',
    `  ${bold('Connector')} for ChatGPT: ${where}`,
    '',
    ...lines,
    ...(card.streams === false
      ? [
          '',
          dim(
            '  This tunnel collects streamed answers: they are sent whole, and long commands yield sooner.',
          ),
        ]
      : []),
    ...(await qrCode(card, stream)),
    '',
    dim(
      '  Then name it in every new chat (@local-coder, or + → local-coder): without that nothing is called.',
    ),
    '',
    '',
  ].join('\n');
}

function authentication(auth: ConnectorCard['auth']): string {
  if (auth === 'oauth') return 'OAuth (leave the other fields empty; the code to type appears here)';
  return 'No authentication';
}

function urlOf(card: ConnectorCard, stream: CardStream): string {
  const origin = card.address.kind === 'tunnel-id' ? '' : card.address.origin;
  if (card.auth !== 'url') return `${origin}/mcp`;
  // A log or a journal must not hold the secret.
  return stream.isTTY === true && card.secretPath !== undefined
    ? `${origin}${card.secretPath}`
    : `${origin}/mcp/… (the secret part: local-coder token show, on a terminal)`;
}

async function qrCode(card: ConnectorCard, stream: CardStream): Promise<string[]> {
  if (card.address.kind === 'tunnel-id' || stream.isTTY !== true || (stream.columns ?? 0) < WIDE) return [];
  const { renderUnicodeCompact } = await import('uqr');
  const code = renderUnicodeCompact(urlOf(card, stream), { border: 1 });
  return ['', ...code.split('\n').map((line) => `  ${line}`)];
}
