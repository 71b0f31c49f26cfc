import { Button } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { send } from "@/api/client";
import { Section } from "@/shared/Section";
import { download } from "@/shared/download";
import { bytes } from "@/shared/format";
import { toast } from "@/shared/toast";

async function save(): Promise<number> {
  const blob = await (await send("/api/user/me/export", {})).blob();
  download("wellness-at-work-export.json", blob);
  return blob.size;
}

export function ExportCard() {
  const exporting = useMutation({
    mutationFn: () => toast.follow("Gathering everything …", save(), (size) => `Your export is saved: ${bytes(size)}.`),
  });
  return (
    <Section title="Take everything along" note="All that is held about you, as one JSON document: minutes, devices, sessions, consents, attendance.">
      <Button style={{ alignSelf: "start" }} variant="default" leftSection={<IconDownload size={18} />} loading={exporting.isPending} onClick={() => exporting.mutate()}>
        Export my data
      </Button>
    </Section>
  );
}
