import { FakeRelay } from './fake-relay.ts';

/** A relay in a process of its own, which a test can stop and continue. */
const relay = await FakeRelay.start();
process.stdout.write(`${relay.url}\n`);
