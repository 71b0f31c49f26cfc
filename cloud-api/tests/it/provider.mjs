// A real OpenID provider for the tests: oauth2-mock-server, which keeps nonces and checks PKCE verifiers by itself.
// Usage: node provider.mjs MODULE. It prints its address, and ends with its standard input.
//
// Whoever opens its sign-in page says who they are there: `person` is a JSON object of claims. `rotate` adds a new key,
// with which the id token of the next sign-in is signed.
const { OAuth2Server } = await import(process.argv[2]);

const server = new OAuth2Server();
await server.issuer.keys.generate("RS256");

const people = new Map();
server.service.on("beforeAuthorizeRedirect", ({ url }, request) => {
  if (request.query.person) people.set(url.searchParams.get("code"), JSON.parse(request.query.person));
  if (request.query.rotate) server.issuer.keys.generate("RS256");
});
server.service.on("beforeTokenSigning", (token, request) => {
  Object.assign(token.payload, people.get(request.body.code));
});

await server.start(0, "127.0.0.1");
console.log(`provider at ${server.issuer.url}`);
process.stdin.on("end", () => process.exit(0)).resume();
