import type { Client } from './clients.ts';
import type { EntryEditor } from './edit.ts';

/** The editor for a client's kind of file; its parser is loaded when it is needed. */
export async function editorFor({ format, key }: Client): Promise<EntryEditor> {
  return format === 'toml'
    ? (await import('./toml-editor.ts')).tomlEditor(key)
    : (await import('./json-editor.ts')).jsonEditor(key);
}
