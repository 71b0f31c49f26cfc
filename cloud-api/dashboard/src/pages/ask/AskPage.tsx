import { Page } from "@/shared/Page";

export default function AskPage() {
  return <Page title="Ask">{null}</Page>;
}
