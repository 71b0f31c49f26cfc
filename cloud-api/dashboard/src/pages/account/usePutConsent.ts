import { useMutation, useQueryClient } from "@tanstack/react-query";
import { consentsOptions } from "@/api/account";
import { api, unwrap } from "@/api/client";
import type { ConsentKind } from "@/api/types";
import { toast } from "@/shared/toast";

interface Said {
  granted: boolean;
  version?: string;
}

export function usePutConsent(kind: ConsentKind, onDone: () => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ granted, version }: Said) =>
      toast.follow(
        granted ? "Recording your consent …" : "Withdrawing …",
        unwrap(api.PUT("/api/user/me/consents", { body: { kind, granted, version } })),
        () => (granted ? "Your consent is recorded." : "Withdrawn. It holds from now on."),
      ),
    onSuccess: async (consents) => {
      queries.setQueryData(consentsOptions.queryKey, consents);
      onDone();
      await queries.invalidateQueries({ queryKey: ["attendance"] });
    },
  });
}
