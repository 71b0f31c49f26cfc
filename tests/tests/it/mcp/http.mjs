// Lets a client that speaks HTTP alone reach a server that speaks over stdio, by the protocol's own SDK, unchanged in both
// directions. Usage: node http.mjs PEERS COMMAND [ARGUMENT...]. It prints its address.
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { createRequire } from "node:module";

const [peers, command, ...args] = process.argv.slice(2);
const require = createRequire(`${peers}/package.json`);
const { StdioClientTransport } = require("@modelcontextprotocol/sdk/client/stdio.js");
const { StreamableHTTPServerTransport } = require("@modelcontextprotocol/sdk/server/streamableHttp.js");

const sessions = new Map();

async function open() {
  const stdio = new StdioClientTransport({ command, args, env: process.env });
  const web = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (id) => sessions.set(id, web),
  });
  web.onmessage = (message) => stdio.send(message);
  stdio.onmessage = (message) => web.send(message);
  web.onclose = () => stdio.close();
  stdio.onerror = (error) => console.error(error);
  await stdio.start();
  await web.start();
  return web;
}

const server = createServer(async (request, response) => {
  const web = sessions.get(request.headers["mcp-session-id"]) ?? (await open());
  await web.handleRequest(request, response);
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/mcp`));
