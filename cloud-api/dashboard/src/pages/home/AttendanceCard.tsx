import { useQuery } from "@tanstack/react-query";
import { analyticsOptions, attendanceOptions, deskMeOptions, deskPeopleOptions } from "@/api/attendance";
import { paths } from "@/app/paths";
import { QueryView } from "@/shared/QueryView";
import { Section } from "@/shared/Section";
import { TextLink } from "@/shared/TextLink";
import { OwnDay } from "./OwnDay";
import { Presence } from "./Presence";

const REFRESH_MS = 30_000;

export function AttendanceCard({ everybody }: { everybody: boolean }) {
  const link = (
    <TextLink to={everybody ? paths.logs : paths.daily}>{everybody ? "Open the log" : "Check in"}</TextLink>
  );
  return (
    <Section title="Attendance today" aside={link}>
      {everybody ? <Everybody /> : <Oneself />}
    </Section>
  );
}

/** The organisation's own day is what its figures end with. */
function useOrganisationDay(user?: string) {
  return useQuery({ ...analyticsOptions({ user }), select: (data) => data.date_to, staleTime: 60_000 });
}

function Everybody() {
  const day = useOrganisationDay();
  const records = useQuery({
    ...attendanceOptions({ date_from: day.data, date_to: day.data }),
    enabled: day.data !== undefined,
    refetchInterval: REFRESH_MS,
  });
  const people = useQuery(deskPeopleOptions);
  if (day.error) return <QueryView query={day}>{() => null}</QueryView>;
  return (
    <QueryView query={records}>
      {(items) => <QueryView query={people}>{(all) => <Presence records={items} people={all} />}</QueryView>}
    </QueryView>
  );
}

function Oneself() {
  const day = useOrganisationDay("me");
  const me = useQuery(deskMeOptions);
  const records = useQuery({
    ...attendanceOptions({ user: "me", date_from: day.data, date_to: day.data }),
    enabled: day.data !== undefined,
    refetchInterval: REFRESH_MS,
  });
  return (
    <QueryView query={me} height={72}>
      {(person) => <QueryView query={records}>{(items) => <OwnDay person={person} record={items[0]} />}</QueryView>}
    </QueryView>
  );
}
