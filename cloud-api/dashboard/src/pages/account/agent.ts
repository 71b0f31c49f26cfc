const BROWSERS: [RegExp, string][] = [
  [/Edg\//, "Edge"],
  [/OPR\//, "Opera"],
  [/Firefox\//, "Firefox"],
  [/Chrome\/|HeadlessChrome\//, "Chrome"],
  [/Safari\//, "Safari"],
];
const SYSTEMS: [RegExp, string][] = [
  [/Android/, "Android"],
  [/iPhone|iPad/, "iOS"],
  [/Windows/, "Windows"],
  [/Mac OS/, "macOS"],
  [/Linux/, "Linux"],
];

const found = (list: [RegExp, string][], text: string) => list.find(([pattern]) => pattern.test(text))?.[1];

/** A browser and system in words; what a program calls itself stays as it is. */
export function agentName(agent: string | null | undefined): string {
  if (!agent) return "Unknown program";
  const [browser, system] = [found(BROWSERS, agent), found(SYSTEMS, agent)];
  return browser && system ? `${browser} on ${system}` : agent.slice(0, 60);
}
