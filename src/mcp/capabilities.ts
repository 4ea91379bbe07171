import { UI_EXTENSION } from '../widgets/index.ts';
import type { ServedTools } from './registry.ts';

/** What this server declares, in `initialize` and in `server/discover`: resources only where a view is served. */
export function capabilitiesOf(registry: Pick<ServedTools, 'view'>) {
  return registry.view === undefined
    ? { tools: {} }
    : { tools: {}, resources: {}, extensions: { [UI_EXTENSION]: {} } };
}
