import { NativeSelect, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Role, User } from "@/api/types";
import { ROLE_NAMES } from "@/session/roles";
import { useUser } from "@/session/store";
import type { Column } from "@/shared/Cells";
import { EmptyState } from "@/shared/EmptyState";
import { QueryView } from "@/shared/QueryView";
import { Section } from "@/shared/Section";
import { VirtualTable } from "@/shared/VirtualTable";
import { plural } from "@/shared/format";
import { dateTime } from "@/shared/zone";
import { useSetRole, usersOptions } from "./queries";

const ROLES = Object.entries(ROLE_NAMES).map(([value, label]) => ({ value, label }));

export default function RolesTab() {
  const { timezone } = useUser();
  const query = useQuery(usersOptions);
  const [text, setText] = useState("");
  const shown = (query.data ?? []).filter(({ name, email }) => `${name ?? ""} ${email}`.toLowerCase().includes(text.trim().toLowerCase()));
  const columns: Column<User>[] = [
    { key: "name", header: "Name", cell: ({ name }) => name ?? "–" },
    { key: "email", header: "Address", cell: ({ email }) => email },
    { key: "since", header: "Since", cell: ({ created_at }) => dateTime(created_at, timezone) },
    { key: "role", header: "Role", cell: (user) => <RoleSelect user={user} /> },
  ];
  return (
    <Section
      title="Accounts and roles"
      note="A kiosk may only mark, a member sees themselves, a manager the attendance of all, an admin also gives roles. Nobody sees anybody else’s minutes."
    >
      <TextInput
        label="Search"
        description={query.data && plural(query.data.length, "account")}
        mb="md"
        maw={360}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <QueryView query={query} height={320} empty={{ when: () => shown.length === 0, show: <EmptyState title="No account of this name">Try a part of the address.</EmptyState> }}>
        {() => <VirtualTable caption="Accounts" columns={columns} rows={shown} rowKey={({ id }) => id} />}
      </QueryView>
    </Section>
  );
}

function RoleSelect({ user }: { user: User }) {
  const set = useSetRole();
  return (
    <NativeSelect
      aria-label={`Role of ${user.name ?? user.email}`}
      data={ROLES}
      w={140}
      value={set.isPending ? set.variables.role : user.role}
      disabled={set.isPending}
      onChange={(event) => set.mutate({ id: user.id, role: event.currentTarget.value as Role })}
    />
  );
}
