import { ActionIcon, TextInput } from "@mantine/core";
import { IconUsers } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { deskPeopleOptions } from "@/api/attendance";
import type { DeskPerson } from "@/api/types";
import type { Column } from "@/shared/Cells";
import { EmptyState } from "@/shared/EmptyState";
import { QueryView } from "@/shared/QueryView";
import { Section } from "@/shared/Section";
import { VirtualTable } from "@/shared/VirtualTable";
import { plural } from "@/shared/format";
import { calendarDate } from "@/shared/zone";
import { AddPerson } from "./AddPerson";
import { PersonCell } from "./PersonCell";

const PersonActions = lazy(() => import("./PersonActions"));

const columns: Column<DeskPerson>[] = [
  { key: "name", header: "Name", cell: (person) => <PersonCell person={person} /> },
  { key: "face", header: "Face", cell: ({ has_biometrics }) => (has_biometrics ? "Enrolled" : "None") },
  { key: "pin", header: "PIN", cell: ({ has_pin }) => (has_pin ? "Set" : "None") },
  { key: "account", header: "Account", cell: ({ user_id }) => (user_id ? "Linked" : "None") },
  { key: "since", header: "Since", cell: ({ enrolled_on }) => calendarDate(enrolled_on) },
  { key: "actions", header: "Action", numeric: true, cell: (person) => <Actions person={person} /> },
];

function Actions({ person }: { person: DeskPerson }) {
  return (
    <Suspense fallback={<ActionIcon component="span" loading aria-hidden="true" />}>
      <PersonActions person={person} />
    </Suspense>
  );
}

export const matches = ({ name, id }: DeskPerson, text: string): boolean =>
  `${name} ${id}`.toLocaleLowerCase().includes(text.trim().toLocaleLowerCase());

export function PeopleTab() {
  const query = useQuery(deskPeopleOptions);
  const [text, setText] = useState("");
  const shown = (query.data ?? []).filter((person) => matches(person, text));
  return (
    <Section title="People of the desk" note={query.data && plural(query.data.length, "person", "people")} aside={<AddPerson />}>
      <TextInput
        label="Search"
        description="A part of the name or id"
        mb="md"
        maw={360}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <QueryView
        query={query}
        height={320}
        empty={{
          when: () => shown.length === 0,
          show: (
            <EmptyState title={text ? "Nobody of this name" : "Nobody is known yet"} icon={IconUsers}>
              {text ? "Try a part of the name." : "Add a person here, or enrol a face with consent."}
            </EmptyState>
          ),
        }}
      >
        {() => <VirtualTable caption="People of the desk" columns={columns} rows={shown} rowKey={({ id }) => id} />}
      </QueryView>
    </Section>
  );
}
