import { useQuery } from "@tanstack/react-query";
import { deskPeopleOptions } from "@/api/attendance";
import { SearchSelect } from "./SearchSelect";

interface Props {
  value: string | undefined;
  onChange: (id: string | undefined) => void;
}

/** A choice of the desk's people. For managers. */
export function PersonSelect({ value, onChange }: Props) {
  const { data } = useQuery(deskPeopleOptions);
  return (
    <SearchSelect
      label="Person"
      placeholder="Everybody"
      clearable
      clearButtonProps={{ "aria-label": "Everybody" }}
      limit={100}
      nothingFoundMessage="Nobody of this name"
      data={(data ?? []).map(({ id, name }) => ({ value: id, label: name }))}
      value={value ?? null}
      onChange={(id) => onChange(id ?? undefined)}
    />
  );
}
