import { Button, Stack } from "@mantine/core";
import { useEffect } from "react";
import type { MarkResponse } from "@/api/types";
import { DecisionView } from "@/camera/DecisionView";
import type { Way } from "./KioskWay";

/** Long enough to read, short enough for the next person. */
const MARKED_MS = 6_000;
const REFUSED_MS = 20_000;

interface Props {
  decision: MarkResponse;
  onDone: () => void;
  onWay: (way: Way) => void;
}

export function KioskDecision({ decision, onDone, onWay }: Props) {
  const marked = decision.reason === null;
  useEffect(() => {
    const timer = window.setTimeout(onDone, marked ? MARKED_MS : REFUSED_MS);
    return () => window.clearTimeout(timer);
  });
  return (
    <Stack>
      <DecisionView decision={decision} />
      {marked ? (
        <Button size="lg" onClick={onDone}>
          Next person
        </Button>
      ) : (
        <>
          <Button size="lg" onClick={() => onWay("face")}>
            Try again
          </Button>
          {decision.alternatives.includes("pin") && (
            <Button size="lg" variant="default" onClick={() => onWay("pin")}>
              Use my PIN
            </Button>
          )}
          {decision.alternatives.includes("qr") && (
            <Button size="lg" variant="default" onClick={() => onWay("qr")}>
              Show my QR code
            </Button>
          )}
          <Button size="lg" variant="subtle" onClick={onDone}>
            Back to the start
          </Button>
        </>
      )}
    </Stack>
  );
}
