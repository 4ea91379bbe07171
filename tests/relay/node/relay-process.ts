/** A relay in a process of its own, whose memory a test measures: `relay-process.ts DATABASE`, with an IPC channel. */
import { startNodeRelay } from '../../../src/relay/adapters/node/relay.ts';
import { openRelayDatabase } from '../../../src/relay/adapters/node/sql.ts';

const relay = await startNodeRelay({
  database: await openRelayDatabase(process.argv[2] ?? ''),
  host: '127.0.0.1',
  port: 0,
  methods: [],
  onError: (error) => console.error(error),
});

process.on('message', () => {
  for (let round = 0; round < 3; round++) globalThis.gc?.();
  process.send?.({ rss: process.memoryUsage.rss(), connections: relay.hub.size });
});
process.send?.({ url: relay.url });
