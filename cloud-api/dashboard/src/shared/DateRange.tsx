import { TextInput } from "@mantine/core";

interface Props {
  from: string;
  to: string;
  onChange: (range: { from: string; to: string }) => void;
}

/** Two dates, both included. */
export function DateRange({ from, to, onChange }: Props) {
  return (
    <>
      <TextInput
        type="date"
        label="From"
        value={from}
        max={to || undefined}
        onChange={(event) => onChange({ from: event.currentTarget.value, to })}
      />
      <TextInput
        type="date"
        label="To"
        value={to}
        min={from || undefined}
        onChange={(event) => onChange({ from, to: event.currentTarget.value })}
      />
    </>
  );
}
