/** Names of the contestants that the targets speak of. */
export const RAW = 'raw';
export const BARE = 'bare server';
export const LOCAL_CODER = 'local-coder';
export const LOCAL_CODER_STDIO = 'local-coder stdio';
