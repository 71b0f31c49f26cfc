import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { MarkResponse } from "@/api/types";
import { toast } from "@/shared/toast";

/** Sends a mark; the toast says so at once, and then what the server decided. */
export function useMark<T>(send: (given: T) => Promise<MarkResponse>, onDecision?: (decision: MarkResponse) => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (given: T) => toast.follow("Sent to the desk …", send(given), ({ message }) => message),
    onSuccess: async (decision) => {
      onDecision?.(decision);
      await queries.invalidateQueries({ queryKey: ["attendance"] });
    },
  });
}
