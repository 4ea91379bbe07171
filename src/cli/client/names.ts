/** The clients that `client add` can write into; for --help and completion without the rest. */
export const CLIENT_NAMES = ['claude-desktop', 'claude-code', 'codex', 'cursor', 'vscode'] as const;

export type ClientName = (typeof CLIENT_NAMES)[number];
