import { lazy, Suspense } from "react";
import { Navigate, Outlet, useLocation } from "react-router";
import { Loading } from "@/app/Loading";
import { signInFor } from "@/app/paths";
import { useSession } from "./store";
import { Unreachable } from "./Unreachable";

const ConsentGate = lazy(() => import("./ConsentGate"));
const SessionDialog = lazy(() => import("./SessionDialog"));

/** Pages behind it have a signed-in person; a session that ends leaves the page as it is. */
export function RequireSession() {
  const session = useSession();
  const { pathname, search } = useLocation();
  switch (session.status) {
    case "loading":
      return <Loading />;
    case "unknown":
      return <Unreachable reason={session.reason} />;
    case "anonymous":
      return <Navigate to={signInFor(pathname + search)} replace />;
    case "consent":
      return (
        <Suspense fallback={<Loading />}>
          <ConsentGate />
        </Suspense>
      );
    default:
      return (
        <>
          <Outlet />
          <Suspense>{session.status === "ended" && <SessionDialog opened user={session.user} />}</Suspense>
        </>
      );
  }
}
