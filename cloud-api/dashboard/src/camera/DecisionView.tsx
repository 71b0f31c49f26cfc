import { Group, Stack, Text } from "@mantine/core";
import { IconCheck, IconX } from "@tabler/icons-react";
import { type ReactNode, useEffect, useRef } from "react";
import type { MarkResponse } from "@/api/types";
import classes from "./DecisionView.module.css";
import { adviceFor, WAY_WORDS } from "./reasons";

const TITLES: Record<string, string> = {
  present: "You are marked, in time",
  late: "You are marked, late",
  already_marked: "You are marked already",
  unknown: "Not recognised",
  liveness_failed: "Not marked",
};

interface Props {
  decision: MarkResponse;
  children?: ReactNode;
}

/** The server's decision: in words and colour, with what it rests on. */
export function DecisionView({ decision, children }: Props) {
  const title = useRef<HTMLParagraphElement>(null);
  useEffect(() => title.current?.focus(), []);
  const { status, name, time, confidence, liveness_verified, reason, alternatives } = decision;
  const marked = reason === null;
  const Icon = marked ? IconCheck : IconX;
  return (
    <Stack gap="sm" className={classes.decision} data-status={marked ? status : "refused"} role={marked ? "status" : "alert"}>
      <Group gap="sm" wrap="nowrap">
        <span className={classes.icon} aria-hidden>
          <Icon size={26} stroke={2.2} />
        </span>
        <div>
          <Text ref={title} tabIndex={-1} ff="heading" fw={600} fz="1.25rem">
            {name ? `${name}: ${TITLES[status] ?? status}` : (TITLES[status] ?? status)}
          </Text>
          <Text fz="sm">{decision.message}</Text>
        </div>
      </Group>
      {marked && (
        <dl className={classes.facts}>
          <dt>Time</dt>
          <dd>{time.slice(0, 5)}</dd>
          {confidence !== null && (
            <>
              <dt>Confidence</dt>
              <dd>{confidence} %</dd>
            </>
          )}
          <dt>Liveness</dt>
          <dd>{liveness_verified ? "proved" : "not asked for"}</dd>
        </dl>
      )}
      {!marked && <Text>{adviceFor(reason)}</Text>}
      {alternatives.length > 0 && (
        <Text fz="sm">Nothing counts against you. Open to you now: {alternatives.map((way) => WAY_WORDS[way] ?? way).join(", ")}.</Text>
      )}
      {children}
    </Stack>
  );
}
