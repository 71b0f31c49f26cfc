import { Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { deskMeOptions } from "@/api/attendance";
import { EmptyState } from "@/shared/EmptyState";
import { QueryView } from "@/shared/QueryView";
import { Section } from "@/shared/Section";
import { IconScan } from "@tabler/icons-react";
import { DeskCode } from "./DeskCode";
import { PinForm } from "./PinForm";

/** PIN and QR code: the ways to be marked without a face. */
export function DeskCard() {
  const query = useQuery(deskMeOptions);
  return (
    <Section title="At the attendance desk" note="Your PIN and your code mark you wherever the camera does not, without any disadvantage.">
      <QueryView
        query={query}
        empty={{
          when: (person) => person === null,
          show: (
            <EmptyState title="The desk does not know you yet" icon={IconScan}>
              Ask your manager to add you; then you can set a PIN and show a code here.
            </EmptyState>
          ),
        }}
      >
        {(person) => (
          <Stack>
            <Text fz="sm">
              Your id at the desk is <b>{person!.id}</b>.{" "}
              {person!.has_biometrics ? "Your face is enrolled." : "Your face is not enrolled."}
            </Text>
            <PinForm hasPin={person!.has_pin} />
            <DeskCode />
          </Stack>
        )}
      </QueryView>
    </Section>
  );
}
