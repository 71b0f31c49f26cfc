import { Page } from "@/shared/Page";

export default function GamificationPage() {
  return <Page title="Gamification">{null}</Page>;
}
