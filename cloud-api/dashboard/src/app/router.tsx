import { createBrowserRouter, type RouteObject } from "react-router";
import { RequireSession } from "@/session/RequireSession";
import { Loading } from "./Loading";
import { NotFound } from "./NotFound";
import { PageError } from "./PageError";
import { Shell } from "./Shell";
import { paths } from "./paths";

type PageModule = Promise<{ default: () => React.ReactNode }>;

/** A page of its own chunk, behind an error boundary of its own. */
const page = (path: string, load: () => PageModule): RouteObject => ({
  path,
  lazy: async () => ({ Component: (await load()).default }),
  ErrorBoundary: PageError,
});

const within: RouteObject[] = [
  page(paths.home, () => import("@/pages/home/HomePage")),
  page(paths.history, () => import("@/pages/history/HistoryPage")),
  page(paths.daily, () => import("@/pages/daily/DailyPage")),
  page(paths.logs, () => import("@/pages/logs/LogsPage")),
  page(paths.analytics, () => import("@/pages/analytics/AnalyticsPage")),
  page(paths.gamification, () => import("@/pages/gamification/GamificationPage")),
  page(paths.team, () => import("@/pages/team/TeamPage")),
  page(paths.account, () => import("@/pages/account/AccountPage")),
  page(paths.admin, () => import("@/pages/admin/AdminPage")),
  page(paths.ask, () => import("@/pages/ask/AskPage")),
  page(paths.device, () => import("@/pages/device/DevicePage")),
  { path: "*", Component: NotFound },
];

const pages: RouteObject[] = [
  page(paths.signIn, () => import("@/pages/sign-in/SignInPage")),
  page(paths.signUp, () => import("@/pages/sign-up/SignUpPage")),
  page(paths.reset, () => import("@/pages/reset/ResetPage")),
  {
    Component: RequireSession,
    ErrorBoundary: PageError,
    children: [
      page(paths.kiosk, () => import("@/pages/kiosk/KioskPage")),
      { Component: Shell, children: within },
    ],
  },
];

export const routes: RouteObject[] = [{ HydrateFallback: Loading, ErrorBoundary: PageError, children: pages }];

export const createRouter = () => createBrowserRouter(routes);
