import { useNow } from "./useNow";

/** Whole seconds until an instant, counted down. */
export function useSecondsUntil(at: string | undefined): number {
  const now = useNow(1_000);
  return at ? Math.max(0, Math.ceil((Date.parse(at) - now) / 1_000)) : 0;
}
