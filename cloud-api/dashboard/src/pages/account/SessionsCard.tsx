import { Badge, Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { sessionsOptions } from "@/api/account";
import { api, unwrap } from "@/api/client";
import { useUser } from "@/session/store";
import { DataTable } from "@/shared/DataTable";
import { QueryView } from "@/shared/QueryView";
import { Section } from "@/shared/Section";
import { dateTime } from "@/shared/zone";
import { agentName } from "./agent";
import { EndButton } from "./EndButton";

const FEW = 6;

export function SessionsCard() {
  const [all, setAll] = useState(false);
  const { timezone } = useUser();
  const query = useQuery(sessionsOptions);
  const end = (id: string) => unwrap(api.DELETE("/api/user/me/sessions/{id}", { params: { path: { id } } }));
  return (
    <Section title="Sessions" note="Where you are signed in. End one that you do not know, and change your password.">
      <QueryView query={query}>
        {({ items }) => (
          <>
          <DataTable
            caption="Sessions"
            rows={all ? items : items.slice(0, FEW)}
            rowKey={(session) => session.id}
            columns={[
              { key: "where", header: "Where", cell: (session) => agentName(session.user_agent) },
              { key: "since", header: "Signed in", cell: (session) => dateTime(session.signed_in_at, timezone) },
              { key: "used", header: "Last used", cell: (session) => dateTime(session.last_used_at, timezone) },
              {
                key: "end",
                header: "Action",
                numeric: true,
                cell: (session) =>
                  session.current ? (
                    <Badge variant="light" size="lg">
                      This one
                    </Badge>
                  ) : (
                    <EndButton what={agentName(session.user_agent)} end={() => end(session.id)} />
                  ),
              },
            ]}
          />
          {items.length > FEW && (
            <Button variant="subtle" mt="sm" aria-expanded={all} onClick={() => setAll(!all)}>
              {all ? "Show fewer" : `Show all ${items.length} sessions`}
            </Button>
          )}
          </>
        )}
      </QueryView>
    </Section>
  );
}
