import { Button, PasswordInput, Stack } from "@mantine/core";
import { useState } from "react";
import type { DeskPerson } from "@/api/types";
import { Dialog } from "@/shared/Dialog";
import { FormError } from "@/shared/FormError";
import { useSetPin } from "./queries";

interface Props {
  person: DeskPerson;
  opened: boolean;
  onClose: () => void;
}

export function PinDialog({ person, opened, onClose }: Props) {
  const [pin, setPin] = useState("");
  const set = useSetPin();
  const done = () => {
    setPin("");
    onClose();
  };
  return (
    <Dialog opened={opened} onClose={onClose} title={`A PIN for ${person.name}`}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          set.mutate({ id: person.id, pin }, { onSuccess: done });
        }}
      >
        <Stack ta="left">
          <PasswordInput
            label="PIN"
            description="6 to 12 digits. Let the person type it, so that only they know it."
            inputMode="numeric"
            autoComplete="off"
            data-autofocus
            value={pin}
            onChange={(event) => setPin(event.currentTarget.value.replace(/\D/g, "").slice(0, 12))}
          />
          <FormError error={set.error} />
          <Button type="submit" disabled={pin.length < 6} loading={set.isPending}>
            Set the PIN
          </Button>
        </Stack>
      </form>
    </Dialog>
  );
}
