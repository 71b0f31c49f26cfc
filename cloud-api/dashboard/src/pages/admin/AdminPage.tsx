import { Skeleton, Tabs } from "@mantine/core";
import { lazy, type ReactNode, Suspense } from "react";
import { useSearchParams } from "react-router";
import { RequireRole } from "@/session/RequireRole";
import { atLeast } from "@/session/roles";
import { useUser } from "@/session/store";
import { Page } from "@/shared/Page";
import { PeopleTab } from "./PeopleTab";

const EnrolForm = lazy(() => import("./EnrolForm"));
const ImportForm = lazy(() => import("./ImportForm"));
const RolesTab = lazy(() => import("./RolesTab"));

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
        <Panel value="people">
          <PeopleTab />
        </Panel>
        <Panel value="enrol">
          <EnrolForm />
        </Panel>
        <Panel value="import">
          <ImportForm />
        </Panel>
        {admin && (
          <Panel value="roles">
            <RolesTab />
          </Panel>
        )}
      </Tabs>
    </Page>
  );
}

function Panel({ value, children }: { value: string; children: ReactNode }) {
  return (
    <Tabs.Panel value={value}>
      <Suspense fallback={<Skeleton height={320} />}>{children}</Suspense>
    </Tabs.Panel>
  );
}
