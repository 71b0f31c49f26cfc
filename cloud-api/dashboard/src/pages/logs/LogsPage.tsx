import { Anchor, Button } from "@mantine/core";
import { IconClipboardList, IconDownload } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { attendanceOptions } from "@/api/attendance";
import { paths } from "@/app/paths";
import { atLeast } from "@/session/roles";
import { useUser } from "@/session/store";
import { EmptyState } from "@/shared/EmptyState";
import { Page } from "@/shared/Page";
import { QueryView } from "@/shared/QueryView";
import { Section } from "@/shared/Section";
import { VirtualTable } from "@/shared/VirtualTable";
import { plural } from "@/shared/format";
import { recordColumns } from "./columns";
import { LogFilters } from "./LogFilters";
import { RecordDay } from "./RecordDay";
import { useLogFilter } from "./useLogFilter";
import { useCsv } from "./useCsv";

export default function LogsPage() {
  const manages = atLeast(useUser().role, "manager");
  const { filter, change } = useLogFilter();
  const query = useQuery(attendanceOptions(filter));
  const csv = useCsv(filter);
  return (
    <Page
      title="Attendance log"
      lead={manages ? "Who was there when, the newest day first." : "Your own days, with everything a manager corrected and why."}
      actions={manages && <RecordDay />}
    >
      <Section
        title="Records"
        note={query.data && plural(query.data.length, "day")}
        aside={
          <Button variant="default" leftSection={<IconDownload size={18} />} loading={csv.isPending} onClick={() => csv.mutate()}>
            Export CSV
          </Button>
        }
      >
        <LogFilters manages={manages} filter={filter} change={change} />
        <QueryView
          query={query}
          height={360}
          empty={{
            when: (items) => items.length === 0,
            show: (
              <EmptyState title="No record here" icon={IconClipboardList}>
                Choose other filters, or{" "}
                <Anchor component={Link} to={paths.daily} underline="always">
                  check in
                </Anchor>{" "}
                for today.
              </EmptyState>
            ),
          }}
        >
          {(items) => (
            <VirtualTable
              caption="Attendance records"
              columns={recordColumns(manages)}
              rows={items}
              rowKey={(item) => item.record_id ?? `${item.id} ${item.date}`}
            />
          )}
        </QueryView>
      </Section>
    </Page>
  );
}
