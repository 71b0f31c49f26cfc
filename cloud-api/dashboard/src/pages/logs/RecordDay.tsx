import { Button, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { lazy, useState } from "react";
import { api, unwrap } from "@/api/client";
import { Dialog } from "@/shared/Dialog";
import { PersonSelect } from "@/shared/PersonSelect";

const RecordForm = lazy(() => import("./RecordForm"));

/** A manager marks somebody's day. */
export function RecordDay() {
  const [opened, { open, close }] = useDisclosure(false);
  const [id, setId] = useState<string>();
  const [date, setDate] = useState("");
  return (
    <>
      <Button leftSection={<IconPlus size={18} />} onClick={open}>
        Record a day
      </Button>
      <Dialog opened={opened} onClose={close} title="Record somebody’s day">
        <RecordForm
          initial={{ status: "present", time: "", reason: "" }}
          onDone={close}
          save={({ status, time, reason }) =>
            unwrap(
              api.POST("/api/attendance/records", {
                body: { id: id ?? "", date: date || null, status, time: time || null, reason },
              }),
            )
          }
          before={
            <>
              <PersonSelect value={id} onChange={setId} />
              <TextInput
                type="date"
                label="Date"
                description="Empty: today"
                value={date}
                onChange={(event) => setDate(event.currentTarget.value)}
              />
            </>
          }
        />
      </Dialog>
    </>
  );
}
