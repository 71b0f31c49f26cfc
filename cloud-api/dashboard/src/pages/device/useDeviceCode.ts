import { useMutation } from "@tanstack/react-query";
import { api, unwrap } from "@/api/client";

interface Asked {
  code: string;
  approve?: boolean;
}

/** Looks at the device that waits under a code, and lets it in or not. */
export function useDeviceCode() {
  const mutation = useMutation({
    mutationFn: ({ code, approve }: Asked) =>
      unwrap(api.POST("/api/auth/device/approve", { body: { user_code: code, approve } })),
  });
  return {
    found: mutation.data,
    error: mutation.error,
    busy: mutation.isPending,
    reset: mutation.reset,
    decide: (code: string, approve?: boolean) => mutation.mutate({ code, approve }),
  };
}
