import { useQuery } from "@tanstack/react-query";
import { deskMeOptions } from "@/api/attendance";
import { features } from "@/app/features";
import { Station } from "@/camera/Station";
import { useUser } from "@/session/store";
import { Page } from "@/shared/Page";
import { QueryView } from "@/shared/QueryView";
import { Section } from "@/shared/Section";
import classes from "./DailyPage.module.css";
import { OtherWays } from "./OtherWays";
import { UploadForm } from "./UploadForm";

export default function DailyPage() {
  const { role } = useUser();
  const me = useQuery(deskMeOptions);
  const member = role === "member";
  return (
    <Page
      title="Check in"
      lead={
        features.demo
          ? "In a demonstration the webcam stays off: send a recording. It is recognised and judged as always, and not kept."
          : "Look into the camera and blink at each dot, for about 20 seconds. No picture is kept after the answer."
      }
    >
      <div className={classes.columns}>
        <div className={classes.main}>
          {!features.demo && (
            <Section title="With the camera" note={<Enrolled />}>
              <Station />
            </Section>
          )}
          <Section title="With a recording" note="Where there is no webcam, such as from a phone.">
            <UploadForm />
          </Section>
        </div>
        <div className={classes.side}>
          <QueryView query={me} height={320}>
            {(person) => <OtherWays member={member} me={person} />}
          </QueryView>
        </div>
      </div>
    </Page>
  );
}

function Enrolled() {
  const { data: person } = useQuery(deskMeOptions);
  if (person === undefined || person?.has_biometrics) return "The picture stays in this page until you start.";
  return "Your face is not enrolled. Ask your manager, or use a way that needs no face.";
}
