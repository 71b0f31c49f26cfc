// Writes src/api/schema.gen.ts from the OpenAPI document that the server's own tests lock.
import { writeFileSync } from "node:fs";
import { document, generate } from "./openapi.mjs";

writeFileSync(new URL("../src/api/schema.gen.ts", import.meta.url), await generate(document()));
