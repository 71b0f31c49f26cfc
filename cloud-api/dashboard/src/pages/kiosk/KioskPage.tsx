import { Button } from "@mantine/core";
import { useState } from "react";
import type { MarkResponse } from "@/api/types";
import { KioskDecision } from "./KioskDecision";
import { KioskFrame } from "./KioskFrame";
import { KioskWay, type Way } from "./KioskWay";
import { useIdle } from "./useIdle";

/** The desk full screen, for a tablet: one big button, and back to it by itself. */
export default function KioskPage() {
  const [way, setWay] = useState<Way | null>(null);
  const [decision, setDecision] = useState<MarkResponse | null>(null);
  const home = () => {
    setWay(null);
    setDecision(null);
  };
  useIdle(way !== null || decision !== null, home);
  if (decision) {
    return (
      <KioskFrame title="">
        <KioskDecision decision={decision} onDone={home} onWay={(next) => (setDecision(null), setWay(next))} />
      </KioskFrame>
    );
  }
  if (way) {
    return (
      <KioskFrame title={way === "face" ? "Look here, and blink at each dot" : way === "pin" ? "Your id and PIN" : "Show your code"}>
        <KioskWay way={way} onDecision={setDecision} />
        <Button size="lg" variant="default" fullWidth mt="lg" onClick={home}>
          Back to the start
        </Button>
      </KioskFrame>
    );
  }
  return (
    <KioskFrame title="Good to see you">
      <Button fullWidth h={120} fz="1.75rem" radius="lg" onClick={() => setWay("face")} autoFocus>
        Mark me present
      </Button>
      <Button size="lg" variant="default" fullWidth mt="lg" onClick={() => setWay("pin")}>
        Use my PIN instead
      </Button>
      <Button size="lg" variant="default" fullWidth mt="sm" onClick={() => setWay("qr")}>
        Show my QR code instead
      </Button>
    </KioskFrame>
  );
}
