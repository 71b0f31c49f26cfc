import { Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { api, unwrap } from "@/api/client";
import { setSession, useUser } from "@/session/store";
import { Section } from "@/shared/Section";
import { SearchSelect } from "@/shared/SearchSelect";
import { toast } from "@/shared/toast";
import { FormError } from "@/shared/FormError";

export function ProfileCard() {
  const user = useUser();
  const form = useForm({ initialValues: { name: user.name ?? "", timezone: user.timezone } });
  const save = useMutation({
    mutationFn: (values: typeof form.values) =>
      toast.follow(
        "Saving …",
        unwrap(api.PATCH("/api/user/me", { body: { name: values.name.trim() || null, timezone: values.timezone } })),
        () => "Your profile is saved.",
      ),
    onSuccess: (changed) => {
      setSession({ status: "active", user: changed });
      form.resetDirty();
    },
  });
  const zones = [...new Set([user.timezone, ...Intl.supportedValuesOf("timeZone")])].sort();
  return (
    <Section title="Profile">
      <form onSubmit={form.onSubmit((values) => save.mutate(values))}>
        <Stack maw={520}>
          <Text fz="sm">
            Signed in as <b style={{ overflowWrap: "anywhere" }}>{user.email}</b>
          </Text>
          <TextInput label="Name" autoComplete="name" maxLength={200} {...form.getInputProps("name")} />
          <SearchSelect
            label="Time zone"
            description="Your days and hours are those of this zone."
            allowDeselect={false}
            limit={60}
            data={zones}
            nothingFoundMessage="No such zone. Try the name of a large city."
            {...form.getInputProps("timezone")}
          />
          <FormError error={save.error} />
          <Group>
            <Button type="submit" loading={save.isPending} disabled={!form.isDirty()}>
              Save
            </Button>
          </Group>
        </Stack>
      </form>
    </Section>
  );
}
