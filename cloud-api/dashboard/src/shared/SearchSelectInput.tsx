import { Select, type SelectProps } from "@mantine/core";

export default function SearchSelectInput(props: SelectProps) {
  return <Select searchable {...props} />;
}
