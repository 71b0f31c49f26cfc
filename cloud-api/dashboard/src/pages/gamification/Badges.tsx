import type { Analytics } from "@/api/types";
import { EmptyState } from "@/shared/EmptyState";
import { IconTrophy } from "@tabler/icons-react";
import { Section } from "@/shared/Section";
import classes from "./Badges.module.css";

export function Badges({ badges }: { badges: Analytics["badges"] }) {
  return (
    <Section title="Your badges" note="Each with the figures that earned it">
      {badges.length === 0 ? (
        <EmptyState title="No badge yet" icon={IconTrophy}>
          The first comes with five expected days in a row.
        </EmptyState>
      ) : (
        <ul className={classes.badges}>
          {badges.map(({ id, label, emoji, reason }) => (
            <li key={id}>
              <span className={classes.emoji} aria-hidden>
                {emoji}
              </span>
              <span>
                <b>{label}</b>
                <span className={classes.reason}>{reason}</span>
              </span>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}
