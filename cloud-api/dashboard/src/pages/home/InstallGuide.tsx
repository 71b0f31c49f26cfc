import { List, Text } from "@mantine/core";
import { useUser } from "@/session/store";
import { CopyLine } from "@/shared/CopyLine";
import { Section } from "@/shared/Section";

/** For somebody without a minute: what to install, and how it finds this server. */
export function InstallGuide() {
  const { email } = useUser();
  const server = window.location.origin;
  return (
    <Section title="Three steps to your first figure" note="This page shows your minutes by itself as soon as they arrive.">
      <List type="ordered" spacing="md" styles={{ itemWrapper: { display: "block" }, itemLabel: { display: "block" } }}>
        <List.Item>
          Install the desktop program. On Debian or Ubuntu with Rust, in a copy of this project’s source:
          <CopyLine text="make install" />
        </List.Item>
        <List.Item>
          Read what is counted, and start it: an icon in the tray shows that it runs. Your camera stays closed until you agree.
          <CopyLine text="blinkctl setup" />
        </List.Item>
        <List.Item>
          Sign it in to this server. Choose <b>Sign in</b> in the tray’s menu, or type:
          <CopyLine text={`blinkctl login --device --server ${server}`} />
          <Text fz="sm" c="dimmed">
            It shows a code and opens this dashboard, where you confirm the code as {email}.
          </Text>
        </List.Item>
      </List>
      <Text fz="sm" c="dimmed" mt="md">
        No pictures leave your computer: only a count for each minute. If nothing arrives, <code>blinkctl doctor</code> names
        the cause.
      </Text>
    </Section>
  );
}
