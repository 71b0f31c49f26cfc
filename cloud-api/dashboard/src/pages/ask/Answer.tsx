import { Text } from "@mantine/core";

/** A model's answer. The server marks numbers that are not in the figures with two tildes on each side. */
export function Answer({ text }: { text: string }) {
  const parts = text.split(/~~(.+?)~~/s);
  return (
    <Text style={{ whiteSpace: "pre-wrap" }}>
      {parts.map((part, place) =>
        // What was between tildes stands at odd places; the places never change.
        place % 2 ? <del key={place}>{part}</del> : part,
      )}
    </Text>
  );
}
