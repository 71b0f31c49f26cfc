import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "@/api/client";
import { toast } from "@/shared/toast";

export function useLeaderboardChoice() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (leaderboard: boolean) =>
      toast.follow("Saving your choice …", unwrap(api.PUT("/api/attendance/leaderboard", { body: { leaderboard } })), (answer) =>
        answer.leaderboard ? "Others see you on the leaderboard." : "You are off the leaderboard.",
      ),
    onSettled: () => queries.invalidateQueries({ queryKey: ["attendance", "analytics"] }),
  });
}
