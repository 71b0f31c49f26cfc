import { Button, FileButton, Group, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { features } from "@/app/features";
import { fileFault } from "@/camera/mark";
import { SnapShot } from "./SnapShot";
import { Thumbnail } from "./Thumbnail";

export const MOST = 5;

interface Props {
  pictures: Blob[];
  onChange: (pictures: Blob[]) => void;
}

export function Pictures({ pictures, onChange }: Props) {
  const [camera, setCamera] = useState(false);
  const [fault, setFault] = useState<string | null>(null);
  const full = pictures.length >= MOST;
  const add = (more: Blob[]) => {
    const bad = more.map((file) => (file.type.startsWith("image/") ? fileFault(file) : "Choose pictures: JPEG, PNG or WebP.")).find(Boolean);
    setFault(bad ?? null);
    if (!bad) onChange([...pictures, ...more].slice(0, MOST));
  };
  return (
    <Stack>
      {pictures.length > 0 && (
        <Group component="ul" m={0} p={0} gap="sm" style={{ listStyle: "none" }}>
          {pictures.map((picture, n) => (
            <Thumbnail key={n} picture={picture} name={`Picture ${n + 1}`} onRemove={() => onChange(pictures.filter((each) => each !== picture))} />
          ))}
        </Group>
      )}
      <Text fz="sm" role="status">
        {pictures.length} of {MOST} pictures
      </Text>
      {camera && !full && <SnapShot onPicture={(picture) => add([picture])} />}
      <Group>
        {!features.demo && (
          <Button variant="default" disabled={full} aria-pressed={camera} onClick={() => setCamera(!camera)}>
            {camera ? "Close the camera" : "Use the camera"}
          </Button>
        )}
        <FileButton multiple accept="image/jpeg,image/png,image/webp" onChange={add}>
          {(props) => (
            <Button variant="default" disabled={full} {...props}>
              Choose pictures
            </Button>
          )}
        </FileButton>
      </Group>
      {fault && (
        <Text fz="sm" c="var(--absent)" role="alert">
          {fault}
        </Text>
      )}
    </Stack>
  );
}
