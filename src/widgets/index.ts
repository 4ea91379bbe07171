import { VIEW_URI } from './view-address.ts';

/**
 * The MCP Apps view of tool results (SEP-1865, specification 2026-01-26): one HTML document for all tools that have
 * one, which a host may show beside a result. It reads the result that the client was sent anyway; nothing is repeated
 * for it.
 */
export interface ToolView {
  /** Of the tools whose results it shows. */
  readonly toolNames: ReadonlySet<string>;
  /** `_meta` of such a tool in tools/list. */
  readonly toolMeta: Readonly<Record<string, unknown>>;
  /** Its entry in resources/list. A type, not an interface: the SDK wants an index signature. */
  readonly resource: ViewResource;
  /** The result of resources/read for its address. */
  read(): Promise<{ contents: ViewContents[] }>;
}

export type ViewResource = {
  uri: string;
  name: string;
  title: string;
  description: string;
  mimeType: string;
  _meta: Record<string, unknown>;
};

export type ViewContents = Pick<ViewResource, 'uri' | 'mimeType' | '_meta'> & { text: string };

/** Under which the extension is declared, on both sides. */
export const UI_EXTENSION = 'io.modelcontextprotocol/ui';
const MIME_TYPE = 'text/html;profile=mcp-app';

/**
 * No origin at all: everything is in the document. Empty lists are also what a host takes when there are none; written
 * down, they can be reviewed. `domain` is left out: each host has its own form of it, and the view needs no origin.
 */
const META = { ui: { csp: { connectDomains: [], resourceDomains: [] }, prefersBorder: true } };

export const TOOL_VIEW: ToolView = {
  toolNames: new Set(['apply_patch', 'edit_file', 'git_diff', 'run_command']),
  toolMeta: { ui: { resourceUri: VIEW_URI } },
  resource: {
    uri: VIEW_URI,
    name: 'result_view',
    title: 'Changes and command output',
    description: 'Shows the diff of an edit, a patch or git_diff, and the output of a command.',
    mimeType: MIME_TYPE,
    _meta: META,
  },
  async read() {
    // Most servers are never asked for it.
    const { VIEW_HTML } = await import('./view-document.ts');
    return { contents: [{ uri: VIEW_URI, mimeType: MIME_TYPE, text: VIEW_HTML, _meta: META }] };
  },
};
