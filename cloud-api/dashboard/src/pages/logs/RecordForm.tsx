import { Button, Group, NativeSelect, Stack, Textarea, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { ApiError } from "@/api/error";
import { toast } from "@/shared/toast";
import { FormError } from "@/shared/FormError";
import { STATUS_CHOICES } from "@/shared/statuses";

export interface RecordValues {
  status: string;
  time: string;
  reason: string;
}

interface Props {
  initial: RecordValues;
  save: (values: RecordValues) => Promise<unknown>;
  onDone: () => void;
  before?: ReactNode;
}

export default function RecordForm({ initial, save, onDone, before }: Props) {
  const queries = useQueryClient();
  const form = useForm({
    initialValues: initial,
    validate: { reason: (value) => (value.trim() ? null : "Say why: the person sees it.") },
  });
  const submit = useMutation({
    mutationFn: (values: RecordValues) => toast.follow("Saving the record …", save(values), () => "The record is saved."),
    onSuccess: async () => {
      onDone();
      await queries.invalidateQueries({ queryKey: ["attendance"] });
    },
    onError: (error) => {
      if (error instanceof ApiError) form.setErrors(error.fields);
    },
  });
  return (
    <form onSubmit={form.onSubmit((values) => submit.mutate(values))} noValidate>
      <Stack>
        {before}
        <NativeSelect
          label="Status"
          data={STATUS_CHOICES}
          {...form.getInputProps("status")}
        />
        <TextInput type="time" label="Time" description="The organisation’s clock" {...form.getInputProps("time")} />
        <Textarea label="Reason" description="The person sees it beside the record." autosize minRows={2} {...form.getInputProps("reason")} />
        <FormError error={submit.error} />
        <Group>
          <Button type="submit" loading={submit.isPending}>
            Save
          </Button>
          <Button variant="default" onClick={onDone}>
            Cancel
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
