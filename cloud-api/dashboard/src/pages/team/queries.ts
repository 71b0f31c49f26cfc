import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "@/api/client";
import { toast } from "@/shared/toast";

export const teamsOptions = queryOptions({
  queryKey: ["team", "list"],
  queryFn: () => unwrap(api.GET("/api/team")),
});

export const teamWeeksOptions = (id: string) =>
  queryOptions({
    queryKey: ["team", id, "weeks"],
    queryFn: () => unwrap(api.GET("/api/team/{id}/blinks", { params: { path: { id } } })),
  });

function useTeamMutation<T>(doing: string, done: string, work: (given: T) => Promise<unknown>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (given: T) => toast.follow(doing, work(given), () => done),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["team"] }),
  });
}

export const useCreateTeam = () =>
  useTeamMutation("Making the team …", "The team is made. Invite its people now.", (name: string) =>
    unwrap(api.POST("/api/team", { body: { name, timezone: Intl.DateTimeFormat().resolvedOptions().timeZone } })),
  );

const member = (id: string, user_id: string) => ({ params: { path: { id, user_id } } });

export const useInvite = (team: string) =>
  useTeamMutation("Sending the invitation …", "Invited. They see it on their own page Team.", (who: string) =>
    unwrap(api.PUT("/api/team/{id}/members/{user_id}", { ...member(team, who), body: {} })),
  );

export const useAccept = (team: string) =>
  useTeamMutation("Joining …", "You are in the team.", (version: string) =>
    unwrap(api.PUT("/api/team/{id}/members/{user_id}", { ...member(team, "me"), body: { version } })),
  );

export const useRemove = (team: string) =>
  useTeamMutation("Removing …", "Done. It counts in no further week.", (who: string) =>
    unwrap(api.DELETE("/api/team/{id}/members/{user_id}", member(team, who))),
  );
