// The least that can be called an MCP server over HTTP: Node's own http, one tool that reads a file, nothing checked.
// What it needs to start, to lie idle and to answer is what nobody on this Node can do without.
const { createServer } = require('node:http');
const { readFile } = require('node:fs/promises');

const TOOLS = [{ name: 'read', inputSchema: { type: 'object', properties: { path: { type: 'string' } } } }];

async function resultOf({ method, params }) {
  if (method === 'initialize') {
    const serverInfo = { name: 'bare', version: '1.0.0' };
    return { protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo };
  }
  if (method === 'tools/list') return { tools: TOOLS };
  return { content: [{ type: 'text', text: await readFile(params.arguments.path, 'utf8') }] };
}

const server = createServer((request, response) => {
  if (request.method !== 'POST') {
    response.writeHead(405).end();
    return;
  }
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', async () => {
    const message = JSON.parse(Buffer.concat(chunks).toString());
    if (message.id === undefined) {
      response.writeHead(202).end();
      return;
    }
    const answer = { jsonrpc: '2.0', id: message.id, result: await resultOf(message) };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${server.address().port}/mcp\n`);
});
process.on('SIGTERM', () => process.exit(0));
