import { Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { consentsOptions } from "@/api/account";
import type { Consent, ConsentKind } from "@/api/types";
import { useUser } from "@/session/store";
import { QueryView } from "@/shared/QueryView";
import { Section } from "@/shared/Section";
import { dateTime } from "@/shared/zone";
import { ConsentRow } from "./ConsentRow";

const KINDS: ConsentKind[] = ["tracking", "team", "biometric"];

/** What was said last about each kind; the list is oldest first. */
export function latest(items: Consent[]): Partial<Record<ConsentKind, Consent>> {
  return Object.fromEntries(items.map((item) => [item.kind, item]));
}

export function ConsentsCard() {
  const { timezone } = useUser();
  const query = useQuery(consentsOptions);
  return (
    <Section title="Consents" note="Each is voluntary, and can be withdrawn at any time.">
      <QueryView query={query} height={220}>
        {({ items }) => {
          const now = latest(items);
          return (
            <Stack gap={0}>
              {KINDS.map((kind) => (
                <ConsentRow key={kind} kind={kind} said={now[kind]} />
              ))}
              <details style={{ marginTop: 12 }}>
                <summary style={{ minHeight: 44, paddingTop: 12, cursor: "pointer" }}>Everything you said, in order</summary>
                <ol>
                  {items.toReversed().map((item) => (
                    <li key={`${item.kind}${item.at}`}>
                      {dateTime(item.at, timezone)}: {item.granted ? "agreed to" : "withdrew"} {item.kind}, version {item.version}
                    </li>
                  ))}
                </ol>
              </details>
            </Stack>
          );
        }}
      </QueryView>
    </Section>
  );
}
