import { Box, Card, Stack, Text, Title } from "@mantine/core";
import { type ReactNode, useEffect } from "react";
import { Brand } from "./Brand";
import classes from "./EntryFrame.module.css";
import { DemoBanner } from "./DemoBanner";
import { SchemeSwitch } from "./SchemeSwitch";

interface Props {
  title: string;
  lead?: ReactNode;
  width?: number;
  children: ReactNode;
}

/** The frame of pages before sign-in. */
export function EntryFrame({ title, lead, width = 420, children }: Props) {
  useEffect(() => {
    document.title = `${title} · Wellness at Work`;
  }, [title]);
  return (
    <>
      <DemoBanner />
      <div className={classes.frame}>
        <header className={classes.head}>
          <Brand />
          <SchemeSwitch />
        </header>
        <Box component="main" w="100%" maw={width} mx="auto">
          <Stack gap={4} mb="lg">
            <Title order={1}>{title}</Title>
            {lead && <Text c="dimmed">{lead}</Text>}
          </Stack>
          <Card>{children}</Card>
        </Box>
      </div>
    </>
  );
}
