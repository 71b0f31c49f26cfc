import { Page } from "@/shared/Page";
import { ConsentsCard } from "./ConsentsCard";
import { DeskCard } from "./DeskCard";
import { DevicesCard } from "./DevicesCard";
import { EraseCard } from "./EraseCard";
import { ExportCard } from "./ExportCard";
import { PasswordCard } from "./PasswordCard";
import { ProfileCard } from "./ProfileCard";
import { SessionsCard } from "./SessionsCard";

export default function AccountPage() {
  return (
    <Page title="Account" lead="Who you are here, what you agreed to, and everything that is held about you.">
      <ProfileCard />
      <ConsentsCard />
      <DeskCard />
      <DevicesCard />
      <SessionsCard />
      <PasswordCard />
      <ExportCard />
      <EraseCard />
    </Page>
  );
}
