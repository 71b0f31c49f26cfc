import { useMutation, useQueryClient } from "@tanstack/react-query";
import { messageOf } from "@/api/error";
import { toast } from "@/shared/toast";
import { signOut } from "./actions";

export function useSignOut() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: signOut,
    onSuccess: () => queries.clear(),
    onError: (error) => toast.failed(`You may still be signed in. ${messageOf(error)}`),
  });
}
