import { TextInput } from "@mantine/core";
import type { NewPerson } from "./queries";

interface Props {
  inputProps: (name: keyof NewPerson) => object;
}

export const personRules = {
  name: (value: string) => (value.trim() ? null : "Enter the person’s name."),
  email: (value: string) => (!value.trim() || value.includes("@") ? null : "Enter an address such as ada@example.org, or none."),
};

export function PersonFields({ inputProps }: Props) {
  return (
    <>
      <TextInput label="Name" autoComplete="off" required {...inputProps("name")} />
      <TextInput label="Id" description="Short and unique. Empty: made from the name." autoComplete="off" {...inputProps("id")} />
      <TextInput label="E-mail address" description="Links their account, so that they see their own days. Optional." type="email" autoComplete="off" {...inputProps("email")} />
    </>
  );
}
