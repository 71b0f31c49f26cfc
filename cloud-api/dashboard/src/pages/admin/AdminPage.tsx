import { Page } from "@/shared/Page";

export default function AdminPage() {
  return <Page title="Admin">{null}</Page>;
}
