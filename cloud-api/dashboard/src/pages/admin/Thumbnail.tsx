import { Box, CloseButton } from "@mantine/core";
import { useEffect, useRef } from "react";

const EDGE = 112;

interface Props {
  picture: Blob;
  name: string;
  onRemove: () => void;
}

/** A picture that is not sent yet. It is drawn, so that it needs no address. */
export function Thumbnail({ picture, name, onRemove }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    let over = false;
    void createImageBitmap(picture).then(
      (bitmap) => {
        const context = canvas.current?.getContext("2d");
        if (!over && context) {
          const scale = Math.max(EDGE / bitmap.width, EDGE / bitmap.height);
          const [width, height] = [bitmap.width * scale, bitmap.height * scale];
          context.drawImage(bitmap, (EDGE - width) / 2, (EDGE - height) / 2, width, height);
        }
        bitmap.close();
      },
      () => undefined,
    );
    return () => {
      over = true;
    };
  }, [picture]);
  return (
    <Box component="li" pos="relative">
      <canvas ref={canvas} width={EDGE} height={EDGE} role="img" aria-label={name} style={{ borderRadius: 12, display: "block", background: "var(--sunken)" }} />
      <CloseButton pos="absolute" top={2} right={2} variant="default" aria-label={`Remove ${name.toLowerCase()}`} onClick={onRemove} />
    </Box>
  );
}
