import { Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { lazy } from "react";
import { api, unwrap } from "@/api/client";
import type { AttendanceItem } from "@/api/types";
import { Dialog } from "@/shared/Dialog";
import { calendarDate } from "@/shared/zone";
import type { RecordValues } from "./RecordForm";

const RecordForm = lazy(() => import("./RecordForm"));

/** Changes a record, or records a day that nobody recorded. */
export function Correct({ item }: { item: AttendanceItem }) {
  const [opened, { open, close }] = useDisclosure(false);
  const { record_id: id, name, date } = item;
  const save = ({ status, time, reason }: RecordValues): Promise<unknown> =>
    id
      ? unwrap(api.PATCH("/api/attendance/records/{id}", { params: { path: { id } }, body: { status, time: time || null, reason } }))
      : unwrap(api.POST("/api/attendance/records", { body: { id: item.id, date, status, time: time || null, reason } }));
  return (
    <>
      <Button variant="default" onClick={open} aria-label={`Correct ${name}, ${calendarDate(date)}`}>
        Correct
      </Button>
      <Dialog opened={opened} onClose={close} title={`${name}, ${calendarDate(date)}`}>
        <RecordForm
          initial={{ status: item.status === "late" ? "late" : "present", time: item.time?.slice(0, 5) ?? "", reason: "" }}
          save={save}
          onDone={close}
        />
      </Dialog>
    </>
  );
}
