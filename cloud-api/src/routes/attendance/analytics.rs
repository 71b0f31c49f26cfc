//! Attendance as figures.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use blink_proto::http::{
    AttendanceAnalytics, AttendanceArrival, AttendanceBadge, AttendanceLateBar, AttendancePeriod, AttendancePlace,
    AttendanceStreaks, AttendanceSubject, AttendanceTrend, Role,
};
use jiff::civil::Date;

use super::{
    list::Reckoning,
    range,
    view::{self, Whom},
};
use crate::{
    attendance::analytics::{Adding, Analytics, Period, Scope},
    db::{attendance::lists::Somebody, conn::Conn},
    error::{ApiError, ApiResult},
    http::query::Asked,
    principal::Principal,
    state::State,
};

/// Figures over a range of days: of everybody for managers, of oneself for members.
#[utoipa::path(
    get,
    path = "/api/attendance/get-analytics",
    tag = "attendance",
    params(("user" = Option<String>, Query, description = "a person's id at the desk, an account's id, or me; members see themselves alone"), ("date_from" = Option<String>, Query, description = "the first day; that of the first enrolment or mark if absent"), ("date_to" = Option<String>, Query, description = "the last day; today if absent")),
    responses((status = 200, body = AttendanceAnalytics), (status = 403), (status = 404), (status = 422), (status = 429)),
)]
pub(crate) async fn analytics(who: Principal, req: HttpRequest, state: Data<State>) -> ApiResult {
    let mut asked = Asked::read(req.query_string())?;
    let (user, bounds) = (asked.text("user"), view::range(&mut asked));
    asked.finish()?;
    let reckoning = Reckoning::of(&state);
    let figures =
        state.read_for(who.user, move |conn| figures(conn, &who, user.as_deref(), bounds, &reckoning)).await?;
    Ok(HttpResponse::Ok().json(figures))
}

fn figures(
    conn: &mut Conn,
    who: &Principal,
    user: Option<&str>,
    bounds: (Option<Date>, Option<Date>),
    reckoning: &Reckoning,
) -> Result<AttendanceAnalytics, ApiError> {
    let (whom, own) = view::whom(conn, who, user)?;
    let sees_all = who.role >= Role::Manager;
    let subject = match &whom {
        Whom::One(somebody) => Some(somebody.clone()),
        _ => own.clone(),
    };
    let scope = Scope {
        own: subject.as_ref().zip(own.as_ref()).is_some_and(|(a, b)| a.person.id == b.person.id),
        subject: subject.as_ref().map(|subject| subject.person.id.clone()),
        sees_all,
        // Nobody has this id.
        only: match &whom {
            Whom::Everybody => None,
            Whom::One(somebody) => Some(somebody.person.id.clone()),
            Whom::Nobody => Some(String::new()),
        },
    };
    // The leaderboard is over everybody, whoever asks.
    let moments = (reckoning.now, reckoning.keep_from);
    let range = range::read(conn, &reckoning.calendar, None, bounds, moments)?;
    let mut adding = Adding::new(&range.window, scope);
    for person in &range.people {
        adding.add(person, range.months_of(person));
    }
    let dates = (range.window.first, range.last());
    Ok(wire(adding.finish(), subject, dates))
}

fn wire(figures: Analytics, subject: Option<Somebody>, (date_from, date_to): (Date, Date)) -> AttendanceAnalytics {
    let periods = |periods: Vec<Period>| periods.into_iter().map(period).collect::<Vec<_>>();
    AttendanceAnalytics {
        date_from,
        date_to,
        people: figures.people,
        subject: subject.map(|Somebody { person, .. }| AttendanceSubject {
            id: person.id,
            name: person.name,
            leaderboard: person.opted_in,
        }),
        daily: periods(figures.daily),
        weekly: periods(figures.weekly),
        monthly: periods(figures.monthly),
        late_distribution: figures
            .late_distribution
            .into_iter()
            .map(|bar| AttendanceLateBar { minutes_from: bar.minutes_from, count: bar.count })
            .collect(),
        trends: figures
            .trends
            .into_iter()
            .map(|trend| AttendanceTrend { id: trend.id, name: trend.name, points: periods(trend.weeks) })
            .collect(),
        badges: figures
            .badges
            .into_iter()
            .map(|badge| AttendanceBadge {
                id: badge.id.to_owned(),
                label: badge.label.to_owned(),
                emoji: badge.emoji.to_owned(),
                reason: badge.reason,
            })
            .collect(),
        streaks: AttendanceStreaks { current: figures.streaks.current, best: figures.streaks.best },
        leaderboard: figures
            .leaderboard
            .into_iter()
            .map(|place| AttendancePlace { id: place.id, name: place.name, pct: place.pct, streak: place.streak })
            .collect(),
        timeline: figures
            .timeline
            .into_iter()
            .map(|mark| AttendanceArrival {
                minutes_since_9am: mark.minutes_since_9am(),
                id: mark.id,
                name: mark.name,
                date: mark.date,
                arrival_time: mark.arrival,
            })
            .collect(),
    }
}

fn period(period: Period) -> AttendancePeriod {
    let Period { from, tally } = period;
    AttendancePeriod {
        from,
        present: tally.present,
        late: tally.late,
        absent: tally.absent,
        unknown: tally.unknown,
        pct: tally.pct(),
    }
}
