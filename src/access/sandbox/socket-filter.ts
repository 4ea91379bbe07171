/**
 * A seccomp filter for confined programs. In every case without the kernel's key rings, which no namespace parts: they
 * hold tickets and passwords of the user's session. Where the network is shared also without unix sockets: where a confined program shares the machine's network, it also shares the
 * names of abstract sockets (X11, D-Bus, container engines), which no mount hides. What remains are connected pairs of
 * sockets, by which a program talks to its own children. io_uring is off, because it makes sockets behind the filter.
 *
 * Classic BPF over `struct seccomp_data` (seccomp(2)): nr at 0, arch at 4, arguments from 16, 8 bytes each.
 */

interface Processor {
  readonly auditArch: number;
  readonly socket: number;
  readonly socketpair: number;
  /** add_key, request_key, keyctl */
  readonly keys: readonly [number, number, number];
}

const PROCESSORS: Readonly<Record<string, Processor>> = {
  x64: { auditArch: 0xc000003e, socket: 41, socketpair: 53, keys: [248, 249, 250] },
  arm64: { auditArch: 0xc00000b7, socket: 198, socketpair: 199, keys: [217, 218, 219] },
};

const IO_URING_SETUP = 425;
/** System calls of the x32 ABI have this bit, and other numbers would mean the same. */
const X32_BIT = 0x40000000;
const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_SEQPACKET = 5;

const LOAD = 0x20;
const AND = 0x54;
const IF_EQUAL = 0x15;
const IF_AT_LEAST = 0x35;
const RETURN = 0x06;
const ALLOW = 0x7fff0000;
const FAIL = 0x00050000;
const EACCES = 13;
const ENOSYS = 38;

type Step = readonly [code: number, value: number, yes?: string, no?: string] | string;

/**
 * @param network whether the network is shared
 * @returns the filter's bytes, undefined for a processor whose system calls are not known here
 */
export function socketFilter(architecture: string, network: boolean): Buffer | undefined {
  const processor = PROCESSORS[architecture];
  if (!processor) return undefined;
  return assemble([
    [LOAD, 4],
    [IF_EQUAL, processor.auditArch, undefined, 'unknown'],
    [LOAD, 0],
    [IF_AT_LEAST, X32_BIT, 'unknown'],
    ...processor.keys.map((call): Step => [IF_EQUAL, call, 'unknown']),
    ...(network
      ? ([
          [IF_EQUAL, IO_URING_SETUP, 'unknown'],
          [IF_EQUAL, processor.socket, 'socket'],
          [IF_EQUAL, processor.socketpair, 'pair', 'allow'],
        ] satisfies Step[])
      : ([[RETURN, ALLOW]] satisfies Step[])),
    'socket',
    [LOAD, 16],
    [IF_EQUAL, AF_UNIX, 'refuse', 'allow'],
    'pair',
    [LOAD, 16],
    [IF_EQUAL, AF_UNIX, undefined, 'allow'],
    // A pair of datagram sockets can be pointed at any address.
    [LOAD, 24],
    [AND, 0xf],
    [IF_EQUAL, SOCK_STREAM, 'allow'],
    [IF_EQUAL, SOCK_SEQPACKET, 'allow', 'refuse'],
    'allow',
    [RETURN, ALLOW],
    'refuse',
    [RETURN, FAIL + EACCES],
    'unknown',
    [RETURN, FAIL + ENOSYS],
  ]);
}

/** Labels become distances; `struct sock_filter` is 16 bits of code, two jumps of 8 bits, 32 bits of value. */
function assemble(program: readonly Step[]): Buffer {
  const labels = new Map<string, number>();
  let length = 0;
  for (const step of program) {
    if (typeof step === 'string') labels.set(step, length);
    else length++;
  }
  const bytes = Buffer.alloc(length * 8);
  let at = 0;
  for (const step of program) {
    if (typeof step === 'string') continue;
    const [code, value, yes, no] = step;
    const jump = (label: string | undefined) => (label === undefined ? 0 : (labels.get(label) ?? 0) - at - 1);
    bytes.writeUInt16LE(code, at * 8);
    bytes.writeUInt8(jump(yes), at * 8 + 2);
    bytes.writeUInt8(jump(no), at * 8 + 3);
    bytes.writeUInt32LE(value, at * 8 + 4);
    at++;
  }
  return bytes;
}
