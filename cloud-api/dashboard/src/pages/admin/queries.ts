import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { allPages, api, send, unwrap } from "@/api/client";
import type { Role } from "@/api/types";
import { toast } from "@/shared/toast";

export const usersOptions = queryOptions({
  queryKey: ["admin", "users"],
  queryFn: ({ signal }) =>
    allPages((cursor) => unwrap(api.GET("/api/admin/users", { params: { query: { limit: 1_000, cursor } }, signal }))),
});

export function useSetRole() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ id, role }: { id: string; role: Role }) =>
      toast.follow(
        "Changing the role …",
        unwrap(api.PATCH("/api/admin/users/{id}", { params: { path: { id } }, body: { role } })),
        (user) => `${user.name ?? user.email} is now ${user.role}.`,
      ),
    onSettled: () => queries.invalidateQueries({ queryKey: usersOptions.queryKey }),
  });
}

function useDeskMutation<T>(doing: string, done: string, work: (given: T) => Promise<unknown>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (given: T) => toast.follow(doing, work(given), () => done),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["attendance"] }),
  });
}

const of = (id: string) => ({ params: { path: { id } } });

export const useForgetFace = () =>
  useDeskMutation("Removing the face …", "Photo and encodings are removed. The other ways stay open.", (id: string) =>
    unwrap(api.DELETE("/api/attendance/people/{id}/biometrics", of(id))),
  );

export const useRemovePerson = () =>
  useDeskMutation("Removing …", "The person and all their records are removed.", (id: string) =>
    unwrap(api.DELETE("/api/attendance/people/{id}", of(id))),
  );

export const useSetPin = () =>
  useDeskMutation("Setting the PIN …", "The PIN is set.", ({ id, pin }: { id: string; pin: string }) =>
    unwrap(api.PUT("/api/attendance/people/{id}/pin", { ...of(id), body: { pin } })),
  );

export interface NewPerson {
  name: string;
  id: string;
  email: string;
}

export const useAddPerson = () =>
  useDeskMutation("Adding …", "The desk knows them now, without a face.", ({ name, id, email }: NewPerson) =>
    unwrap(api.POST("/api/attendance/people", { body: { name: name.trim(), id: id.trim() || null, email: email.trim() || null } })),
  );

export interface Enrolment extends NewPerson {
  pictures: Blob[];
  consentVersion: string;
  force: boolean;
}

export const useEnrol = () =>
  useDeskMutation("Enrolling …", "The face is enrolled.", ({ name, id, email, pictures, consentVersion, force }: Enrolment) => {
    const form = new FormData();
    form.set("name", name.trim());
    if (id.trim()) form.set("id", id.trim());
    if (email.trim()) form.set("email", email.trim());
    if (force) form.set("force", "true");
    form.set("consent", "true");
    form.set("consent_version", consentVersion);
    pictures.forEach((picture, n) => form.append("image", picture, `${n}.jpg`));
    return send("/api/attendance/register-user", { method: "POST", body: form });
  });
