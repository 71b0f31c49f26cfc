import { useDisclosure } from "@mantine/hooks";
import { lazy, Suspense, useEffect } from "react";
import { Navigate, Outlet, ScrollRestoration, useLocation, useNavigation } from "react-router";
import { useUser } from "@/session/store";
import { DemoBanner } from "./DemoBanner";
import { OfflineBanner } from "./OfflineBanner";
import { paths } from "./paths";
import { PhoneBar } from "./PhoneBar";
import { Rail } from "./Rail";
import classes from "./Shell.module.css";
import { TopBar } from "./TopBar";

const PhoneMenu = lazy(() => import("./PhoneMenu"));

export function Shell() {
  const [menu, { open, close }] = useDisclosure(false);
  const { pathname } = useLocation();
  const busy = useNavigation().state !== "idle";
  const [asked, ask] = useDisclosure(false);
  const { role } = useUser();
  useEffect(close, [pathname, close]);
  if (role === "kiosk") return <Navigate to={paths.kiosk} replace />;
  return (
    <div className={classes.shell}>
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <Rail />
      <div>
        <TopBar />
        <DemoBanner />
        <OfflineBanner />
        <main id="content" className={classes.main} aria-busy={busy}>
          <Outlet />
        </main>
        <PhoneBar onMenu={() => (ask.open(), open())} open={menu} />
      </div>
      <Suspense>{asked && <PhoneMenu opened={menu} onClose={close} />}</Suspense>
      <ScrollRestoration />
    </div>
  );
}
