import { Page } from "@/shared/Page";

export default function KioskPage() {
  return <Page title="Kiosk">{null}</Page>;
}
