import type { CallRecorder } from '../history/index.ts';
import type { Services } from '../tools/services.ts';

/** What becomes known of one call while it runs, for its record: nobody has to guess it from the answer. */
export class CallFacts {
  readonly id: string;
  readonly #onProcess: (processId: string) => void;
  readonly #recorders: CallRecorder[] = [];
  #checkpointId: string | undefined;
  #processId: string | undefined;

  constructor(id: string, onProcess: (processId: string) => void) {
    this.id = id;
    this.#onProcess = onProcess;
  }

  /** The checkpoint of the call's file changes, also of a call that failed after it made some. */
  get checkpointId(): string | undefined {
    for (const recorder of this.#recorders) {
      const { checkpointId } = recorder.outcome();
      if (checkpointId !== undefined) return checkpointId;
    }
    return this.#checkpointId;
  }

  get processId(): string | undefined {
    return this.#processId;
  }

  /** The services with eyes on what is recorded through them. */
  services(services: Services): Services {
    const { recordChanges } = services;
    if (recordChanges === undefined) return services;
    return {
      ...services,
      recordChanges: (tool, conversation) => {
        const recorder = recordChanges(tool, conversation);
        this.#recorders.push(recorder);
        return recorder;
      },
    };
  }

  /** See CallLinks. */
  readonly started = (processId: string): void => {
    this.#processId = processId;
    this.#onProcess(processId);
  };

  /** Takes what a tool's own answer names: rewind records in the history itself. */
  done(data: Readonly<Record<string, unknown>>): void {
    if (typeof data['checkpoint_id'] === 'string') this.#checkpointId = data['checkpoint_id'];
    if (typeof data['process_id'] === 'string') this.#processId ??= data['process_id'];
  }
}
