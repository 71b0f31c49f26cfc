import { Text } from "@mantine/core";
import type { DeskPerson } from "@/api/types";
import { DeskCode } from "@/pages/account/DeskCode";
import { Section } from "@/shared/Section";
import { CodeScan } from "./CodeScan";
import { PinMarkForm } from "./PinMarkForm";

interface Props {
  /** A member marks only themselves. */
  member: boolean;
  me: DeskPerson | null;
}

/** What is as good as the camera. */
export function OtherWays({ member, me }: Props) {
  return (
    <>
      <Section title="With your PIN" note={me && !me.has_pin && member ? "You have none yet: set one on the page Account." : undefined}>
        <PinMarkForm id={me?.id ?? ""} fixed={member && me !== null} />
      </Section>
      <Section title="With a QR code">
        {member ? me ? <DeskCode /> : <Text fz="sm">The desk does not know you yet. Ask your manager to add you.</Text> : <CodeScan />}
      </Section>
      <Section title="With your manager">
        <Text fz="sm">
          Nothing worked? Your manager can mark you at any time today. A try that failed never counts as an absence.
        </Text>
      </Section>
    </>
  );
}
