import { Page } from "@/shared/Page";

export default function AnalyticsPage() {
  return <Page title="Analytics">{null}</Page>;
}
