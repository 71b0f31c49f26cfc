import { messageOf } from "@/api/error";
import type { MarkResponse } from "@/api/types";
import { features } from "@/app/features";
import { markByCode } from "@/camera/mark";
import { QrScanner } from "@/camera/QrScanner";
import { Station } from "@/camera/Station";
import { useMark } from "@/camera/useMark";
import { PinMarkForm } from "@/pages/daily/PinMarkForm";
import { UploadForm } from "@/pages/daily/UploadForm";

export type Way = "face" | "pin" | "qr";

interface Props {
  way: Way;
  onDecision: (decision: MarkResponse) => void;
}

export function KioskWay({ way, onDecision }: Props) {
  const code = useMark(markByCode, onDecision);
  if (way === "face" && features.demo) return <UploadForm onDecision={onDecision} />;
  if (way === "face") return <Station immediate onDecision={onDecision} />;
  if (way === "pin") return <PinMarkForm id="" fixed={false} onDecision={onDecision} />;
  return <QrScanner onCode={code.mutate} error={code.error && messageOf(code.error)} />;
}
