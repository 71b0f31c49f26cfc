import { Button, FileInput, Stack, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import type { MarkResponse } from "@/api/types";
import { features } from "@/app/features";
import { DecisionView } from "@/camera/DecisionView";
import { demoRecording, fileFault, markByFile } from "@/camera/mark";
import { useMark } from "@/camera/useMark";
import { bytes } from "@/shared/format";
import { FormError } from "@/shared/FormError";

export function UploadForm({ onDecision }: { onDecision?: (decision: MarkResponse) => void }) {
  const [file, setFile] = useState<File | null>(null);
  const mark = useMark(markByFile, (decision) => {
    setFile(null);
    onDecision?.(decision);
  });
  const recording = useMutation({ mutationFn: demoRecording, onSuccess: (sent) => mark.mutate(sent) });
  const fault = file && fileFault(file);
  return (
    <Stack>
      <FileInput
        label="Video or picture"
        description="A video up to 20 MB, or a picture up to 10 MB. A still picture never proves that you are here."
        placeholder="Choose a file"
        accept="video/mp4,video/quicktime,video/webm,video/x-msvideo,image/jpeg,image/png,image/webp"
        clearable
        clearButtonProps={{ "aria-label": "Take the file out" }}
        value={file}
        onChange={setFile}
        error={fault}
      />
      {file && !fault && (
        <Text fz="sm" c="dimmed">
          {bytes(file.size)} will be sent.
        </Text>
      )}
      <FormError error={mark.error} />
      <Button variant="default" disabled={!file || Boolean(fault)} loading={mark.isPending} onClick={() => file && mark.mutate(file)}>
        Send to the desk
      </Button>
      {features.demo && (
        <Button loading={recording.isPending || mark.isPending} onClick={() => recording.mutate()}>
          Send the demo recording
        </Button>
      )}
      <FormError error={recording.error} />
      {mark.data && !onDecision && <DecisionView decision={mark.data} />}
    </Stack>
  );
}
