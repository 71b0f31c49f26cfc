export function document(): unknown;
export function generate(openapi: unknown): Promise<string>;
