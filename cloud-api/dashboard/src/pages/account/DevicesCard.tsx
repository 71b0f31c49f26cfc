import { useQuery } from "@tanstack/react-query";
import { devicesOptions, sessionsOptions } from "@/api/account";
import { api, unwrap } from "@/api/client";
import type { Device, Session } from "@/api/types";
import { paths } from "@/app/paths";
import { useUser } from "@/session/store";
import { DataTable } from "@/shared/DataTable";
import { EmptyState } from "@/shared/EmptyState";
import { QueryView } from "@/shared/QueryView";
import { UNKNOWN } from "@/shared/format";
import { Section } from "@/shared/Section";
import { TextLink } from "@/shared/TextLink";
import { dateTime } from "@/shared/zone";
import { EndButton } from "./EndButton";

const nameOf = (device: Device, sessions: Session[]) =>
  sessions.find(({ id }) => id === device.session_id)?.user_agent ?? `Device ${device.device_id.slice(-8)}`;

export function DevicesCard() {
  const { timezone } = useUser();
  const devices = useQuery(devicesOptions);
  const sessions = useQuery(sessionsOptions);
  const end = (id: string) => unwrap(api.DELETE("/api/user/me/devices/{id}", { params: { path: { id } } }));
  return (
    <Section
      title="Devices"
      note="Machines that your minutes came from. Ending one signs it out; its minutes stay."
      aside={
        <TextLink to={paths.device}>Confirm a code</TextLink>
      }
    >
      <QueryView
        query={devices}
        empty={{
          when: ({ items }) => items.length === 0,
          show: <EmptyState title="No device has sent a minute yet">Home shows how to install one and sign it in.</EmptyState>,
        }}
      >
        {({ items }) => (
          <DataTable
            caption="Devices"
            rows={items}
            rowKey={(device) => device.device_id}
            columns={[
              { key: "name", header: "Device", cell: (device) => nameOf(device, sessions.data?.items ?? []) },
              { key: "program", header: "Last sent by", cell: ({ user_agent }) => user_agent?.replace("/", " ") ?? UNKNOWN },
              { key: "first", header: "First minute", cell: (device) => dateTime(device.first_seen_at, timezone) },
              { key: "last", header: "Last minute", cell: (device) => dateTime(device.last_seen_at, timezone) },
              {
                key: "end",
                header: "Action",
                numeric: true,
                cell: (device) => <EndButton what={`device ${device.device_id.slice(-8)}`} end={() => end(device.device_id)} />,
              },
            ]}
          />
        )}
      </QueryView>
    </Section>
  );
}
