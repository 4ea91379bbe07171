/** An agent in a process of its own, for tests that stop or kill it: `agent-process.ts URL AGENT_ID AGENT_TOKEN`. */
import { TestAgent } from '../core/support/agent.ts';

const [url = '', agentId = '', agentToken = ''] = process.argv.slice(2);
const workspaces = [{ workspaceId: 'w', displayName: 'W' }];
const agent = await TestAgent.connect(url, { agentId, agentToken }, { workspaces });
process.stdout.write('connected\n');
await agent.closed;
