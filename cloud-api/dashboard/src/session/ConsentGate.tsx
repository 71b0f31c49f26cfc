import { Alert, Button, Group, Radio, Stack, Text, Title } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api, unwrap } from "@/api/client";
import { ApiError, messageOf } from "@/api/error";
import { ConsentText } from "@/shared/ConsentText";
import { useConsentTexts } from "@/shared/consents";
import { forget } from "./actions";
import { getSession, setSession, userOf } from "./store";

type Earlier = "keep" | "remove";

async function agree(version: string, earlier_minutes: Earlier | null): Promise<void> {
  const body = { kind: "tracking" as const, granted: true, version, earlier_minutes };
  await unwrap(api.PUT("/api/user/me/consents", { body }));
  setSession({ status: "active", user: userOf(getSession())! });
}

/** An account that came through a provider agrees here, or erases itself; it may do nothing else before. */
export default function ConsentGate() {
  const texts = useConsentTexts();
  const [earlier, setEarlier] = useState<Earlier | null>(null);
  const yes = useMutation({ mutationFn: (version: string) => agree(version, earlier) });
  const no = useMutation({ mutationFn: () => unwrap(api.DELETE("/api/user/me", { body: {} })), onSuccess: forget });
  const asksEarlier = yes.error instanceof ApiError && "earlier_minutes" in yes.error.fields;
  const error = yes.error ?? no.error;
  return (
    <Stack component="main" p="lg" maw={640} mx="auto">
      <Title order={1}>Before you start</Title>
      <Text>Read what is counted and kept. You go on only if you agree.</Text>
      <ConsentText query={texts} kind="tracking" />
      {(asksEarlier || earlier) && (
        <Radio.Group
          label="This account holds minutes from before you proved that the address is yours."
          value={earlier}
          onChange={(value) => setEarlier(value as Earlier)}
        >
          <Stack mt="xs">
            <Radio value="keep" label="They are mine: keep them" />
            <Radio value="remove" label="They are not mine: remove them" />
          </Stack>
        </Radio.Group>
      )}
      {error && !(asksEarlier && !earlier) && (
        <Alert color="red" role="alert">
          {messageOf(error)}
        </Alert>
      )}
      <Group>
        <Button
          disabled={!texts.data}
          loading={yes.isPending}
          onClick={() => texts.data && yes.mutate(texts.data.tracking.version)}
        >
          I agree
        </Button>
        <Button variant="default" loading={no.isPending} onClick={() => no.mutate()}>
          I do not agree: erase the account
        </Button>
      </Group>
    </Stack>
  );
}
