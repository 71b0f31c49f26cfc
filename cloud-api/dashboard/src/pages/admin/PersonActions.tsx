import { ActionIcon, Menu } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconDots } from "@tabler/icons-react";
import type { DeskPerson } from "@/api/types";
import { Confirm } from "@/shared/Confirm";
import { PinDialog } from "./PinDialog";
import { useForgetFace, useRemovePerson } from "./queries";

export default function PersonActions({ person }: { person: DeskPerson }) {
  const [pin, pinDialog] = useDisclosure(false);
  const [face, faceDialog] = useDisclosure(false);
  const [removal, removalDialog] = useDisclosure(false);
  const forget = useForgetFace();
  const remove = useRemovePerson();
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon aria-label={`Actions for ${person.name}`}>
            <IconDots size={20} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={pinDialog.open}>Set a PIN</Menu.Item>
          {person.has_biometrics && <Menu.Item onClick={faceDialog.open}>Remove the face</Menu.Item>}
          <Menu.Item color="red" onClick={removalDialog.open}>
            Remove the person
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <PinDialog person={person} opened={pin} onClose={pinDialog.close} />
      <Confirm
        opened={face}
        onClose={faceDialog.close}
        title={`Remove the face of ${person.name}?`}
        action="Remove the face"
        busy={forget.isPending}
        onYes={() => forget.mutate(person.id, { onSettled: faceDialog.close })}
      >
        Photo and encodings are destroyed. PIN, QR code and you mark them from now on; their days stay.
      </Confirm>
      <Confirm
        opened={removal}
        onClose={removalDialog.close}
        title={`Remove ${person.name}?`}
        action="Remove the person"
        busy={remove.isPending}
        onYes={() => remove.mutate(person.id, { onSettled: removalDialog.close })}
      >
        All their records, their face and PIN are removed from the desk. It cannot be undone.
      </Confirm>
    </>
  );
}
