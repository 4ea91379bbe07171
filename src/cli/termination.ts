import { EXIT } from '../config/usage-error.ts';

/**
 * Resolves with the signal's name when the program is told to end. A second signal ends it at once, for somebody who
 * does not want to wait for running calls.
 */
export function onTermination(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let told = false;
    const handle = (signal: NodeJS.Signals) => {
      if (told) process.exit(EXIT.interrupted);
      told = true;
      resolve(signal);
    };
    process.on('SIGINT', handle);
    process.on('SIGTERM', handle);
    // A closed terminal: the default would end this process without ending what it started.
    process.on('SIGHUP', handle);
  });
}
