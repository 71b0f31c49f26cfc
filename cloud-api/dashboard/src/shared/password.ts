const SHORTEST = 12;
const LONGEST = 128;

/** What is wrong with a new password, in the words of a form; null when it will do. */
export function passwordFault(value: string): string | null {
  const length = [...value].length;
  if (length < SHORTEST) return `Use at least ${SHORTEST} characters: ${SHORTEST - length} more.`;
  return length > LONGEST ? `Use at most ${LONGEST} characters.` : null;
}
