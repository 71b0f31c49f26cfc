import { Button, PasswordInput, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { DecisionView } from "@/camera/DecisionView";
import { markByPin } from "@/camera/mark";
import { useMark } from "@/camera/useMark";
import type { MarkResponse } from "@/api/types";
import { FormError } from "@/shared/FormError";

interface Props {
  id: string;
  fixed: boolean;
  onDecision?: (decision: MarkResponse) => void;
}

export function PinMarkForm({ id, fixed, onDecision }: Props) {
  const form = useForm({
    initialValues: { id, pin: "" },
    validate: {
      id: (value) => (value.trim() ? null : "Enter your id at the desk; it is on the page Account."),
      pin: (value) => (value ? null : "Enter your PIN."),
    },
  });
  const mark = useMark(markByPin, (decision) => {
    form.setFieldValue("pin", "");
    onDecision?.(decision);
  });
  return (
    <form onSubmit={form.onSubmit((values) => mark.mutate({ id: values.id.trim(), pin: values.pin }))} noValidate>
      <Stack>
        <TextInput label="Your id at the desk" autoComplete="off" readOnly={fixed} {...form.getInputProps("id")} />
        <PasswordInput label="PIN" inputMode="numeric" autoComplete="off" {...form.getInputProps("pin")} />
        <FormError error={mark.error} />
        <Button type="submit" variant="default" loading={mark.isPending}>
          Mark me
        </Button>
        {mark.data && !onDecision && <DecisionView decision={mark.data} />}
      </Stack>
    </form>
  );
}
