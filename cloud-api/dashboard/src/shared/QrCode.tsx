import { Box } from "@mantine/core";
import { encode } from "uqr";

const QUIET = 3;

/** A QR code in black on white, in both themes: scanners want it so. Few large modules are read from farther away. */
export function QrCode({ text, label }: { text: string; label: string }) {
  const { data, size } = encode(text, { ecc: "L", border: 0 });
  const dark = data.flatMap((row, y) => row.flatMap((on, x) => (on ? [`M${x + QUIET} ${y + QUIET}h1v1h-1z`] : [])));
  const edge = size + 2 * QUIET;
  return (
    <Box component="svg" role="img" aria-label={label} w={320} maw="100%" bdrs="md" viewBox={`0 0 ${edge} ${edge}`} shapeRendering="crispEdges">
      <rect width={edge} height={edge} fill="#fff" />
      <path d={dark.join("")} fill="#000" />
    </Box>
  );
}
