import { Tabs } from "@mantine/core";
import { useSearchParams } from "react-router";
import { RequireRole } from "@/session/RequireRole";
import { atLeast } from "@/session/roles";
import { useUser } from "@/session/store";
import { Page } from "@/shared/Page";
import { EnrolForm } from "./EnrolForm";
import { ImportForm } from "./ImportForm";
import { PeopleTab } from "./PeopleTab";
import { RolesTab } from "./RolesTab";

const TITLE = "People and enrolment";

export default function AdminPage() {
  return (
    <RequireRole least="manager" title={TITLE}>
      <Admin />
    </RequireRole>
  );
}

function Admin() {
  const { role } = useUser();
  const [params, setParams] = useSearchParams();
  const admin = atLeast(role, "admin");
  return (
    <Page title={TITLE} lead="Who the attendance desk knows, and how.">
      <Tabs value={params.get("tab") ?? "people"} onChange={(tab) => setParams({ tab: tab ?? "people" }, { replace: true })} keepMounted={false}>
        <Tabs.List mb="xl">
          <Tabs.Tab value="people">People</Tabs.Tab>
          <Tabs.Tab value="enrol">Enrol a face</Tabs.Tab>
          <Tabs.Tab value="import">Import</Tabs.Tab>
          {admin && <Tabs.Tab value="roles">Accounts and roles</Tabs.Tab>}
        </Tabs.List>
        <Tabs.Panel value="people">
          <PeopleTab />
        </Tabs.Panel>
        <Tabs.Panel value="enrol">
          <EnrolForm />
        </Tabs.Panel>
        <Tabs.Panel value="import">
          <ImportForm />
        </Tabs.Panel>
        {admin && (
          <Tabs.Panel value="roles">
            <RolesTab />
          </Tabs.Panel>
        )}
      </Tabs>
    </Page>
  );
}
