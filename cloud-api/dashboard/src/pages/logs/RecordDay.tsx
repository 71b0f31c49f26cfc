import { Button, Modal, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { api, unwrap } from "@/api/client";
import { PersonSelect } from "@/shared/PersonSelect";
import { RecordForm } from "./RecordForm";

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
      <Modal opened={opened} onClose={close} title="Record somebody’s day">
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
      </Modal>
    </>
  );
}
