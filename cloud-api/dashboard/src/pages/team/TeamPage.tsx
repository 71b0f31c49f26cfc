import { Page } from "@/shared/Page";

export default function TeamPage() {
  return <Page title="Team">{null}</Page>;
}
