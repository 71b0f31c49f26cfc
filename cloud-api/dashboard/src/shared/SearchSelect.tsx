import { type SelectProps, TextInput } from "@mantine/core";
import { lazy, Suspense } from "react";

const SearchSelectInput = lazy(() => import("./SearchSelectInput"));

/** A choice out of many, found by typing. Few choices are a NativeSelect. */
export function SearchSelect(props: SelectProps) {
  const { label, description } = props;
  return (
    <Suspense fallback={<TextInput label={label} description={description} disabled />}>
      <SearchSelectInput {...props} />
    </Suspense>
  );
}
