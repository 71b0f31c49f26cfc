import { Navigate, Outlet, useLocation } from "react-router";
import { Loading } from "@/app/Loading";
import { signInFor } from "@/app/paths";
import { ConsentGate } from "./ConsentGate";
import { SessionDialog } from "./SessionDialog";
import { useSession } from "./store";
import { Unreachable } from "./Unreachable";

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
      return <ConsentGate />;
    default:
      return (
        <>
          <Outlet />
          <SessionDialog opened={session.status === "ended"} user={session.user} />
        </>
      );
  }
}
