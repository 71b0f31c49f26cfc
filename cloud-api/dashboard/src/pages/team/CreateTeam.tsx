import { Button, Stack, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { Dialog } from "@/shared/Dialog";
import { useCreateTeam } from "./queries";
import { FormError } from "@/shared/FormError";

export function CreateTeam() {
  const [opened, { open, close }] = useDisclosure(false);
  const [name, setName] = useState("");
  const create = useCreateTeam();
  return (
    <>
      <Button leftSection={<IconPlus size={18} />} onClick={open}>
        New team
      </Button>
      <Dialog opened={opened} onClose={close} title="New team">
        <form
          onSubmit={(event) => {
            event.preventDefault();
            create.mutate(name.trim(), { onSuccess: close });
          }}
        >
          <Stack>
            <TextInput label="Name" data-autofocus value={name} maxLength={100} onChange={(event) => setName(event.currentTarget.value)} />
            <FormError error={create.error} />
            <Button type="submit" disabled={!name.trim()} loading={create.isPending}>
              Make the team
            </Button>
          </Stack>
        </form>
      </Dialog>
    </>
  );
}
