/**
 * The variable that marks everything one call started. It is inherited, so a child that left its process group or
 * session is still found through /proc/PID/environ. `env -i` removes it; such a child is found only while its
 * ancestry or its session still leads to us.
 */
export const MARKER_VARIABLE = 'LOCAL_CODER_PROCESS';
