import { Button, Stack } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { ApiError } from "@/api/error";
import { Dialog } from "@/shared/Dialog";
import { FormError } from "@/shared/FormError";
import { PersonFields, personRules } from "./PersonFields";
import { useAddPerson } from "./queries";

/** A person without a face: PIN, code and manager mark them. */
export function AddPerson() {
  const [opened, { open, close }] = useDisclosure(false);
  const add = useAddPerson();
  const form = useForm({ initialValues: { name: "", id: "", email: "" }, validate: personRules });
  const done = () => {
    form.reset();
    close();
  };
  const onError = (error: unknown) => {
    if (error instanceof ApiError) form.setErrors(error.fields);
  };
  return (
    <>
      <Button variant="default" leftSection={<IconPlus size={18} />} onClick={open}>
        Add without a face
      </Button>
      <Dialog opened={opened} onClose={close} title="Add a person">
        <form onSubmit={form.onSubmit((values) => add.mutate(values, { onSuccess: done, onError }))} noValidate>
          <Stack>
            <PersonFields inputProps={(name) => form.getInputProps(name)} />
            <FormError error={add.error} />
            <Button type="submit" loading={add.isPending}>
              Add
            </Button>
          </Stack>
        </form>
      </Dialog>
    </>
  );
}
