import { Button, Stack } from "@mantine/core";
import { useState } from "react";
import { messageOf } from "@/api/error";
import { DecisionView } from "@/camera/DecisionView";
import { markByCode } from "@/camera/mark";
import { QrScanner } from "@/camera/QrScanner";
import { useMark } from "@/camera/useMark";

/** For whoever tends the desk: reads the codes that people show. */
export function CodeScan() {
  const [on, setOn] = useState(false);
  const { mutate, data, error } = useMark(markByCode);
  return (
    <Stack>
      {data && <DecisionView decision={data} />}
      {on && <QrScanner onCode={mutate} error={error && messageOf(error)} />}
      <Button variant="default" onClick={() => setOn(!on)}>
        {on ? "Close the camera" : "Scan somebody’s code"}
      </Button>
    </Stack>
  );
}
