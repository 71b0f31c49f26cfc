//! The tools. Each needs this machine's consent, logs that it was called, and tells sums alone.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use blink_figures::{Hours, Period, Setups};
use blink_profile::Paths;
use jiff::{Zoned, civil::Date};
use rmcp::{
    RoleServer, ServerHandler,
    handler::server::{router::tool::ToolRouter, wrapper::Parameters},
    model::{CallToolResult, ContentBlock, Implementation, ServerCapabilities, ServerConfig},
    schemars::{self, JsonSchema},
    service::RequestContext,
    tool, tool_handler, tool_router,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::{sync::oneshot, time::timeout};

use super::{
    log::{Log, Reading},
    told,
};
use crate::own::{self, OwnHistory, require_consent};

const INSTRUCTIONS: &str = "The figures of the person at this computer: how often they blink while at the screen, as counted \
    by a webcam. Rates are blinks per minute of observed time, and say nothing without it. \"unknown\" means that nothing was \
    observed; it is never zero. Compare periods with the tool `compare` and not by yourself: it compares like with like and \
    says when nothing can be told. Never diagnose; for questions of health, point to a doctor or optometrist.";

/// Some days.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
pub(super) struct Days {
    /// The first day, such as 2026-03-02. Without it: 27 days before `to`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    /// The last day, included. Without it: today.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<String>,
}

/// Two periods.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Two {
    /// The later period.
    a: Days,
    /// The earlier period.
    b: Days,
}

/// One day.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct OneDay {
    /// The day, such as 2026-03-02.
    day: String,
}

/// No assistant waits longer than this at the start; what is not read by then is read beside its requests.
const LONGEST_START: Duration = Duration::from_secs(5);

#[derive(Clone)]
pub(super) struct OwnFigures {
    paths: Paths,
    history: Arc<Mutex<OwnHistory>>,
    log: Log,
    tool_router: ToolRouter<Self>,
}

#[tool_router]
impl OwnFigures {
    /// Reads the history first, so that no question waits for it. Without consent nothing is read.
    pub(super) async fn open(paths: Paths, log: Log) -> Self {
        let history = Arc::new(Mutex::new(OwnHistory::open(&paths)));
        if require_consent(&paths).is_ok() {
            let (ahead, files) = (history.clone(), paths.clone());
            let (reading, read) = oneshot::channel::<Infallible>();
            thread::spawn(move || {
                own::read_ahead(&ahead, &files);
                drop(reading);
            });
            // It ends with the reading, because nothing is ever sent.
            let _ = timeout(LONGEST_START, read).await;
        }
        Self { paths, history, log, tool_router: Self::tool_router() }
    }

    /// What was counted today so far: rate, blinks, observed time and coverage.
    #[tool(annotations(title = "Today", read_only_hint = true, open_world_hint = false))]
    async fn today(&self, context: RequestContext<RoleServer>) -> CallToolResult {
        let period = |today| Ok(Period { first: today, last: today });
        self.tell("today", &json!({}), context, period, |hours, _, period| blink_figures::told::period(hours, period))
            .await
    }

    /// The figures of some days as one sum, and since when another camera or detector measured.
    #[tool(annotations(title = "Summary of some days", read_only_hint = true, open_world_hint = false))]
    async fn summary(&self, Parameters(days): Parameters<Days>, context: RequestContext<RoleServer>) -> CallToolResult {
        self.of_days("summary", days, context, told::summary).await
    }

    /// Whether the rate of period a differs from that of period b: compared in the same hours of the day and with the same
    /// camera only, with a 95 % interval, or "unknown" with the reason.
    #[tool(annotations(title = "Compare two periods", read_only_hint = true, open_world_hint = false))]
    async fn compare(&self, Parameters(two): Parameters<Two>, context: RequestContext<RoleServer>) -> CallToolResult {
        let arguments = json!(two);
        let period = move |today| {
            let a = told::period(two.a.from.as_deref(), two.a.to.as_deref(), today)?;
            Ok((a, told::period(two.b.from.as_deref(), two.b.to.as_deref(), today)?))
        };
        let tell = |hours: &Hours, setups: &Setups, (a, b)| told::comparison(hours, setups, a, b);
        self.tell("compare", &arguments, context, period, tell).await
    }

    /// The hours of the day with the highest and the lowest rate, among those with at least half an hour observed.
    #[tool(annotations(title = "Best and worst hours", read_only_hint = true, open_world_hint = false))]
    async fn best_and_worst_hours(
        &self,
        Parameters(days): Parameters<Days>,
        context: RequestContext<RoleServer>,
    ) -> CallToolResult {
        let tell = |hours: &Hours, _: &Setups, period| told::best_and_worst(hours, period);
        self.of_days("best_and_worst_hours", days, context, tell).await
    }

    /// How much of the time in which tracking was on the eyes could be observed, in all and by day, by week from 32 days on and by
    /// month from a year on.
    #[tool(annotations(title = "Coverage", read_only_hint = true, open_world_hint = false))]
    async fn coverage(
        &self,
        Parameters(days): Parameters<Days>,
        context: RequestContext<RoleServer>,
    ) -> CallToolResult {
        self.of_days("coverage", days, context, |hours, _, period| told::coverage(hours, period)).await
    }

    /// One day, hour by hour.
    #[tool(annotations(title = "Blinks of a day", read_only_hint = true, open_world_hint = false))]
    async fn blinks(&self, Parameters(one): Parameters<OneDay>, context: RequestContext<RoleServer>) -> CallToolResult {
        let arguments = json!(one);
        let period = move |today| told::period(Some(&one.day), Some(&one.day), today);
        self.tell("blinks", &arguments, context, period, |hours, _, period| told::day(hours, period.first)).await
    }

    async fn of_days(
        &self,
        tool: &'static str,
        days: Days,
        context: RequestContext<RoleServer>,
        tell: impl FnOnce(&Hours, &Setups, Period) -> Value + Send + 'static,
    ) -> CallToolResult {
        let arguments = json!(days);
        let period = move |today| told::period(days.from.as_deref(), days.to.as_deref(), today);
        self.tell(tool, &arguments, context, period, tell).await
    }

    /// Tells, once consent is there and the call is logged; `which` reads the arguments.
    async fn tell<P: Asked + Send + 'static>(
        &self,
        tool: &'static str,
        arguments: &Value,
        context: RequestContext<RoleServer>,
        which: impl FnOnce(Date) -> Result<P, String> + Send + 'static,
        tell: impl FnOnce(&Hours, &Setups, P) -> Value + Send + 'static,
    ) -> CallToolResult {
        let client =
            context.peer.peer_info().map(|info| format!("{} {}", info.client_info.name, info.client_info.version));
        let client = client.unwrap_or_else(|| "unknown".to_owned());
        let (server, arguments) = (self.clone(), arguments.clone());
        let told = tokio::task::spawn_blocking(move || {
            require_consent(&server.paths).map_err(|failure| failure.problem.to_string())?;
            let now = Zoned::now();
            let asked = which(now.date())?;
            let reading = Reading { at: now.timestamp(), client, tool: tool.to_owned(), arguments };
            let unlogged = |error| format!("Nothing is told, because what was read cannot be logged: {error}");
            server.log.add(&reading).map_err(unlogged)?;
            let mut history = own::locked(&server.history);
            let hours = history.hours(asked.span(), &now).map_err(|error| error.to_string())?;
            Ok(tell(&hours, history.setups(), asked))
        });
        match told.await.unwrap_or_else(|error| Err(error.to_string())) {
            Ok(told) => CallToolResult::structured(told),
            Err(why) => CallToolResult::error(vec![ContentBlock::text(why)]),
        }
    }
}

/// The days that a tool must read.
trait Asked: Copy {
    fn span(self) -> Period;
}

impl Asked for Period {
    fn span(self) -> Period {
        self
    }
}

impl Asked for (Period, Period) {
    fn span(self) -> Period {
        Period { first: self.0.first.min(self.1.first), last: self.0.last.max(self.1.last) }
    }
}

#[tool_handler(router = self.tool_router)]
impl ServerHandler for OwnFigures {
    fn get_info(&self) -> ServerConfig {
        let mut info = ServerConfig::new(ServerCapabilities::builder().enable_tools().build());
        info.server_info = Implementation::new("blinkctl", env!("CARGO_PKG_VERSION"));
        info.server_info.title = Some("Blinks".to_owned());
        info.instructions = Some(INSTRUCTIONS.to_owned());
        info
    }
}
