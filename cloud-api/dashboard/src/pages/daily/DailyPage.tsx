import { Page } from "@/shared/Page";

export default function DailyPage() {
  return <Page title="Daily">{null}</Page>;
}
