import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const ANSWER = { choices: [{ message: { role: "assistant", content: "You blink least before noon." } }] };

/** Hands out the address of a language model that always says the same. */
export async function withModel(use: (address: string) => Promise<void>): Promise<void> {
  const server = createServer((_, response) => response.setHeader("Content-Type", "application/json").end(JSON.stringify(ANSWER)));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
