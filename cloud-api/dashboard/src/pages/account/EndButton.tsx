import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { toast } from "@/shared/toast";

interface Props {
  what: string;
  end: () => Promise<unknown>;
}

export function EndButton({ what, end }: Props) {
  const queries = useQueryClient();
  const mutation = useMutation({
    mutationFn: () => toast.follow(`Signing out ${what} …`, end(), () => `Signed out: ${what}.`),
    onSettled: () => queries.invalidateQueries({ queryKey: ["account"] }),
  });
  return (
    <Button variant="default" loading={mutation.isPending} onClick={() => mutation.mutate()} aria-label={`Sign out ${what}`}>
      Sign out
    </Button>
  );
}
