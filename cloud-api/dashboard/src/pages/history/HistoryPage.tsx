import { useSearchParams } from "react-router";
import { useUser } from "@/session/store";
import { Page } from "@/shared/Page";
import { useNow } from "@/shared/useNow";
import { isoDay } from "@/shared/zone";
import { HistoryChart } from "./HistoryChart";
import { HistoryTable } from "./HistoryTable";
import { Period } from "./Period";
import { readWindow, type Window } from "./view";

export default function HistoryPage() {
  const { timezone } = useUser();
  const [params, setParams] = useSearchParams();
  const now = useNow();
  const shown = readWindow(params, timezone, now);
  const show = ({ view, first }: Window) => setParams({ view, date: isoDay(first) }, { replace: true, preventScrollReset: true });
  return (
    <Page title="History" lead="Every minute that your devices sent. You alone see it.">
      <Period shown={shown} show={show} now={now} />
      <HistoryChart shown={shown} now={now} />
      <HistoryTable key={shown.view} shown={shown} />
    </Page>
  );
}
