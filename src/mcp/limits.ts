/** Bytes of one result's text, whatever the input (tools.md, "Bounds"). */
export const MAX_RESULT_BYTES = 256 * 1024;
/** Milliseconds after which every call has been answered, done or not (tools.md, "Long work"). */
export const MAX_ANSWER_MS = 40_000;
/** The work is handed over a little earlier, so that the answer is out in time. */
export const HAND_OVER_MS = 38_500;
/** Interval of keep-alives on a streamed answer; the promise is at most 5 s. */
export const KEEP_ALIVE_MS = 3_000;
/** Calls under way at once over all clients; more are answered BUSY and nothing already running suffers. */
export const MAX_CONCURRENT_CALLS = 512;
/** Bytes of one HTTP request body. Room for write_file_base64 of a 20 MiB file. */
export const MAX_BODY_BYTES = 32 * 1024 * 1024;
/** How long a call waits for the owner's word before its client is told so (access.md: up to the yield time). */
export const APPROVAL_WAIT_MS = 10_000;
/** How long a cancelled call may take to end when the server does: git is asked first and forced after 2 s. */
export const CANCEL_MS = 2_500;
