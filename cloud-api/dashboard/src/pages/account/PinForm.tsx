import { Button, Group, PasswordInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { deskMeOptions } from "@/api/attendance";
import { api, unwrap } from "@/api/client";
import { toast } from "@/shared/toast";
import { FormError } from "@/shared/FormError";

export function PinForm({ hasPin }: { hasPin: boolean }) {
  const queries = useQueryClient();
  const [pin, setPin] = useState("");
  const save = useMutation({
    mutationFn: (value: string | null) =>
      toast.follow("Saving …", unwrap(api.PUT("/api/attendance/pin", { body: { pin: value } })), () =>
        value === null ? "Your PIN is removed." : "Your PIN is set.",
      ),
    onSuccess: async () => {
      setPin("");
      await queries.invalidateQueries({ queryKey: deskMeOptions.queryKey });
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate(pin);
      }}
    >
      <Group align="end">
        <PasswordInput
          label={hasPin ? "New PIN" : "PIN"}
          description="6 to 12 digits, no row such as 123456"
          inputMode="numeric"
          autoComplete="off"
          value={pin}
          onChange={(event) => setPin(event.currentTarget.value.replace(/\D/g, "").slice(0, 12))}
          w={280}
          maw="100%"
        />
        <Button type="submit" variant="default" disabled={pin.length < 6} loading={save.isPending}>
          {hasPin ? "Change PIN" : "Set PIN"}
        </Button>
        {hasPin && (
          <Button variant="subtle" color="red" onClick={() => save.mutate(null)} disabled={save.isPending}>
            Remove PIN
          </Button>
        )}
      </Group>
      <FormError error={save.error} />
    </form>
  );
}
