import { Box, Text, Title } from "@mantine/core";
import { type ReactNode, useEffect } from "react";
import { Brand } from "@/app/Brand";
import { useUser } from "@/session/store";
import { useNow } from "@/shared/useNow";
import { clock, dateText } from "@/shared/zone";
import { KioskExit } from "./KioskExit";

export function KioskFrame({ title, children }: { title: string; children: ReactNode }) {
  const { timezone } = useUser();
  const now = useNow(10_000);
  useEffect(() => {
    document.title = "Attendance desk · Wellness at Work";
  }, []);
  return (
    <Box mih="100dvh" p="md" style={{ display: "grid", gridTemplateRows: "auto 1fr auto" }}>
      <Box component="header" style={{ display: "flex", justifyContent: "space-between", alignItems: "center" }}>
        <Brand />
        <Text className="tabular" fw={600} fz="1.25rem">
          {clock(now, timezone)}
        </Text>
      </Box>
      <Box component="main" w="100%" maw={560} mx="auto" my="auto" py="lg">
        <Title order={1} ta="center" mb="xl" className={title ? undefined : "visually-hidden"}>
          {title || "The desk’s decision"}
        </Title>
        {children}
      </Box>
      <Box component="footer" style={{ display: "flex", justifyContent: "space-between", alignItems: "center" }}>
        <Text fz="sm" c="dimmed">
          {dateText(now, timezone)}
        </Text>
        <KioskExit />
      </Box>
    </Box>
  );
}
