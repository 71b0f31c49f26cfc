import { Page } from "@/shared/Page";

export default function LogsPage() {
  return <Page title="Logs">{null}</Page>;
}
