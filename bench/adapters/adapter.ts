import type { Fixture } from '../fixture.ts';
import type { Launch } from '../mcp-server.ts';
import type { OperationName, Requests } from '../operations.ts';

/** Calls a tool and gives the text of its result. */
export type Call = (name: string, args: Record<string, unknown>) => Promise<string>;

/** How one server, or the bare means, does the operations; what it cannot do is left out. */
export interface Adapter {
  readonly name: string;
  /** One line for the report. */
  readonly description: string;
  /** Without it the operations run in this process, with no server between. */
  launch?(fixture: Fixture, home: string): Promise<Launch>;
  readonly operations: {
    readonly [Name in Exclude<OperationName, 'tools_list' | 'read_x32'>]?: (
      request: Requests[Name],
      call: Call,
      fixture: Fixture,
    ) => Promise<string>;
  };
}
