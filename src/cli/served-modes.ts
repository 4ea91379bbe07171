import type { Settings } from '../config/load.ts';
import { createMcpEndpoint, type McpEndpoint } from '../mcp/http.ts';
import type { ToolRegistry } from '../mcp/registry.ts';
import type { Log } from '../runtime/log.ts';
import type { AccessMode } from '../workspace/index.ts';
import { type Program, startProgram } from './program.ts';

interface Served {
  readonly program: Program;
  readonly mcp: McpEndpoint;
}

/**
 * The program in the server's own access mode, and beside it, once a client was let in with less, the program in that
 * client's mode: with its own shells, so that what a wide client left in one is no way out for a narrow one.
 */
export class ServedModes {
  readonly #main: Served;
  readonly #served = new Map<AccessMode, Served>();
  readonly #settings: Settings;
  readonly #stateDir: string;
  readonly #log: Log;
  #baseUrl: string | undefined;

  constructor(main: Served, settings: Settings, stateDir: string, log: Log) {
    this.#main = main;
    this.#served.set(settings.access, main);
    this.#settings = settings;
    this.#stateDir = stateDir;
    this.#log = log;
  }

  /** The endpoint for a client that was granted this mode; the server's own without one. */
  mcpFor(granted: AccessMode | undefined): McpEndpoint {
    return this.#servedFor(granted).mcp;
  }

  /** The tools for a caller with this mode, for transports that are no MCP endpoint. */
  registryFor(access: AccessMode): ToolRegistry {
    return this.#servedFor(access).program.registry;
  }

  #servedFor(granted: AccessMode | undefined): Served {
    const access = granted ?? this.#settings.access;
    let served = this.#served.get(access);
    if (served === undefined) {
      const settings = { ...this.#settings, access, 'sandbox-network': this.#networkFor(access) };
      const program = startProgram(settings, this.#stateDir, this.#log, this.#main.program);
      const { registry, instructions } = program;
      const onError = (error: Error) => this.#log.debug(error.message);
      served = { program, mcp: createMcpEndpoint({ registry, instructions, onError }) };
      if (this.#baseUrl !== undefined) program.services.offers.setBaseUrl(this.#baseUrl);
      this.#served.set(access, served);
    }
    return served;
  }

  /**
   * Whether a narrower client's commands get the network. They would share this machine's loopback, and with it the
   * private listener: where that asks nobody who he is, a command would be served by the wider program.
   */
  #networkFor(access: AccessMode): Settings['sandbox-network'] {
    const isOpen = (this.#settings.auth ?? 'none') === 'none';
    return isOpen && access !== this.#settings.access ? 'off' : this.#settings['sandbox-network'];
  }

  /** What serves now, the server's own mode first. */
  get services(): readonly [Program['services'], ...Program['services'][]] {
    const [, ...others] = this.#served.values();
    return [this.#main.program.services, ...others.map(({ program }) => program.services)];
  }

  /** The address under which offered files can be fetched. */
  setBaseUrl(url: string): void {
    this.#baseUrl = url;
    for (const { offers } of this.services) offers.setBaseUrl(url);
  }

  /** Ends what was started here; the server's own program is somebody else's. */
  async close(graceMs: number): Promise<void> {
    const [, ...others] = this.#served.values();
    await Promise.all(
      others.map(async ({ program, mcp }) => {
        await program.registry.drain(graceMs);
        await program.close();
        await mcp.close();
      }),
    );
  }
}
