import { useUser } from "@/session/store";
import { atLeast } from "@/session/roles";
import { Page } from "@/shared/Page";
import { QueryView } from "@/shared/QueryView";
import { useNow } from "@/shared/useNow";
import { dateText } from "@/shared/zone";
import { AttendanceCard } from "./AttendanceCard";
import { DayCard } from "./DayCard";
import { InstallGuide } from "./InstallGuide";
import { TodayFigures } from "./TodayFigures";
import { useEver, useToday } from "./useToday";
import { WeekCard } from "./WeekCard";

export default function HomePage() {
  const user = useUser();
  const now = useNow();
  const today = useToday(now);
  const ever = useEver();
  const firstName = user.name?.split(" ")[0];
  return (
    <Page title={firstName ? `Hello, ${firstName}` : "Hello"} lead={`${dateText(now, user.timezone)}. Times in ${user.timezone.replace("_", " ")}`}>
      <QueryView query={ever} height={480} empty={{ when: (known) => !known, show: <InstallGuide /> }}>
        {() => (
          <>
            <TodayFigures query={today} now={now} />
            <DayCard query={today} now={now} />
            <WeekCard />
          </>
        )}
      </QueryView>
      <AttendanceCard everybody={atLeast(user.role, "manager")} />
    </Page>
  );
}
