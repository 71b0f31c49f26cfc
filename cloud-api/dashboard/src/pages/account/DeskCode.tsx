import { Button, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, unwrap } from "@/api/client";
import { QueryView } from "@/shared/QueryView";
import { QrCode } from "@/shared/QrCode";
import { useSecondsUntil } from "@/shared/useSecondsUntil";

/** A code that marks the person, good for a minute; it is renewed while it is shown. */
export function DeskCode() {
  const [shown, setShown] = useState(false);
  const query = useQuery({
    queryKey: ["attendance", "code"],
    queryFn: () => unwrap(api.GET("/api/attendance/code")),
    enabled: shown,
    refetchInterval: 50_000,
    gcTime: 0,
  });
  const left = useSecondsUntil(query.data?.expires_at);
  if (!shown) {
    return (
      <Button variant="default" style={{ alignSelf: "start" }} onClick={() => setShown(true)}>
        Show my QR code
      </Button>
    );
  }
  return (
    <Stack align="start">
      <QueryView query={query} height={240}>
        {({ code }) => <QrCode text={code} label="Your code for the attendance desk" />}
      </QueryView>
      <Text fz="sm" c="dimmed">
        Hold it in front of the desk’s camera. {left > 0 ? `It is renewed before it ends in ${left} s.` : "A new one is coming."}
      </Text>
      <Button variant="default" onClick={() => setShown(false)}>
        Hide the code
      </Button>
    </Stack>
  );
}
