//! Teams: invitations, membership, and the figures of closed weeks.

use cloud_api::{
    ledger::{self, EntryKind},
    open,
};
use diesel::connection::SimpleConnection as _;
use serde_json::{Value, json};

use crate::{archive_kit::eventually, harness::*};

fn items(answer: &Answer) -> Vec<Value> {
    answer.json["items"].as_array().unwrap().clone()
}

fn manager(app: &TestApp) -> Client {
    let boss = app.user();
    app.set_role(&boss, "manager");
    boss
}

fn team(boss: &Client) -> String {
    let made = boss.post("/api/team", &json!({"name": "Optics"})).expect(201);
    made.json["id"].as_str().unwrap().to_owned()
}

fn put(client: &Client, path: &str) -> Answer {
    client.send("PUT", path, &[("content-type", "application/json")], Some(b"{}"))
}

fn join(boss: &Client, team: &str, member: &Client) {
    put(boss, &format!("/api/team/{team}/members/{}", member.id)).expect(201);
    put(member, &format!("/api/team/{team}/members/{}", member.id)).expect(200);
}

/// Stores three observed hours on the Monday of the week of 2 March.
fn work(member: &Client, blinks_per_minute: u32) {
    member.store(&minutes("2026-03-02T09:00:00Z", 180, blinks_per_minute));
}

#[test]
fn whoever_is_erased_while_they_are_invited_is_nobody() {
    let app = TestApp::start(Backend::Postgres);
    let (boss, ada) = (manager(&app), app.user());
    let (team, database) = (team(&boss), app.postgres.as_ref().unwrap());
    let mut erasure = database.connect();
    erasure.batch_execute(&format!("BEGIN; DELETE FROM users WHERE id = '{}'", ada.id)).unwrap();
    let invited = std::thread::scope(|scope| {
        let invite = scope.spawn(|| put(&boss, &format!("/api/team/{team}/members/{}", ada.id)));
        eventually("the invitation waits", || database.waiting() == 1);
        erasure.batch_execute("COMMIT").unwrap();
        invite.join().unwrap()
    });
    assert_eq!(invited.expect(404).code(), "no_such_person");
}

contract! {
    fn a_person_accepts_before_they_count_and_sees_whose_team_it_is(app) {
        let (boss, ada) = (manager(app), app.user());
        let team = team(&boss);
        let path = format!("/api/team/{team}/members/{}", ada.id);
        // Nobody can join without an invitation.
        put(&ada, &path).expect(404);
        // An invitation by e-mail address works too.
        put(&boss, &format!("/api/team/{team}/members/{}", ada.email)).expect(201);
        let invited = items(&ada.get("/api/team").expect(200));
        assert_eq!((&invited[0]["manager"]["email"], &invited[0]["accepted_at"], &invited[0]["name"]), (&json!(boss.email), &Value::Null, &json!("Optics")));
        assert!(invited[0].get("members").is_none(), "only the manager sees who is in it");
        ada.get(&format!("/api/team/{team}/blinks")).expect(403);
        assert_eq!(put(&ada, &path).expect(200).json["status"], "accepted");
        assert_eq!(items(&ada.get("/api/team").expect(200))[0]["accepted_at"], NOW);
        ada.get(&format!("/api/team/{team}/blinks")).expect(200);
        let consents = ada.get("/api/user/me/consents").expect(200);
        assert!(items(&consents).iter().any(|c| c["kind"] == "team" && c["granted"] == true));
        let members = items(&boss.get("/api/team").expect(200))[0]["members"].clone();
        assert_eq!((&members[0]["user_id"], &members[0]["accepted_at"]), (&json!(ada.id), &json!(NOW)));
        assert!(!members.to_string().contains("blink"), "no figure of a member");
        // A member may leave.
        ada.send("DELETE", &path, &[], None).expect(204);
        ada.get(&format!("/api/team/{team}/blinks")).expect(403);
        ada.send("DELETE", &path, &[], None).expect(404);
    }

    fn one_team_at_a_time_and_withdrawing_leaves_it(app) {
        let (boss, ada) = (manager(app), app.user());
        let (one, two) = (team(&boss), team(&boss));
        join(&boss, &one, &ada);
        put(&boss, &format!("/api/team/{two}/members/{}", ada.id)).expect(201);
        let own = format!("/api/team/{two}/members/me");
        assert_eq!(put(&ada, &own).expect(409).code(), "in_another_team");
        let withdrawal = json!({"kind": "team", "granted": false}).to_string();
        ada.send("PUT", "/api/user/me/consents", &[("content-type", "application/json")], Some(withdrawal.as_bytes())).expect(200);
        ada.get(&format!("/api/team/{one}/blinks")).expect(403);
        put(&ada, &own).expect(200);
    }

    fn of_whom_they_invite_a_manager_sees_what_they_typed(app) {
        let (boss, ada, eve) = (manager(app), app.user(), app.user());
        let team = team(&boss);
        let path = |member: &str| format!("/api/team/{team}/members/{member}");
        let typed = ada.email.to_uppercase();
        put(&boss, &path(&typed)).expect(201);
        put(&boss, &path(&eve.id)).expect(201);
        let members = || items(&boss.get("/api/team").expect(200))[0]["members"].clone();
        let shown = |members: &Value| {
            let of = |m: &Value| (m["user_id"].clone(), m["email"].clone(), m["name"].clone());
            members.as_array().unwrap().iter().map(of).collect::<Vec<_>>()
        };
        let mut seen = shown(&members());
        seen.sort_by_key(|(id, ..)| id.is_null());
        assert_eq!(seen, [(json!(eve.id), Value::Null, Value::Null), (Value::Null, json!(typed), Value::Null)]);
        // An invitation is taken back by what was typed.
        boss.send("DELETE", &path(&typed), &[], None).expect(204);
        put(&eve, &path("me")).expect(200);
        assert_eq!(shown(&members()), [(json!(eve.id), json!(eve.email), json!("Ada"))]);
        assert_eq!(boss.get("/api/team").expect(200).text.matches(&ada.id).count(), 0);
    }

    fn an_invitation_is_taken_back_by_what_was_typed_whoever_has_the_address_now(app) {
        let (boss, ada) = (manager(app), app.user());
        let (team, other) = (team(&boss), team(&boss));
        let path = |member: &str| format!("/api/team/{team}/members/{member}");
        let typed = ada.email.clone();
        put(&boss, &path(&typed)).expect(201);
        let change = json!({"email": format!("new.{typed}"), "current_password": PASSWORD}).to_string();
        ada.send("PATCH", "/api/user/me", &[("content-type", "application/json")], Some(change.as_bytes())).expect(200);
        let members = || items(&boss.get("/api/team").expect(200)).into_iter().find(|item| item["id"] == *team).unwrap()["members"].clone();
        assert_eq!(members()[0]["email"], typed);
        // Somebody else has the old address now, and is a member.
        let mut eve = app.anonymous();
        eve.sign_in(&eve.post("/api/auth/register", &registration(&typed, "UTC")).expect(201).json);
        join(&boss, &team, &eve);
        boss.send("DELETE", &path(&typed), &[], None).expect(204);
        let left = members();
        assert_eq!((left.as_array().unwrap().len(), &left[0]["user_id"]), (1, &json!(eve.id)));
        put(&ada, &path("me")).expect(404);
        // Then the address means the member, and in another team nothing.
        boss.send("DELETE", &format!("/api/team/{other}/members/{typed}"), &[], None).expect(404);
        boss.send("DELETE", &path(&typed), &[], None).expect(204);
        boss.send("DELETE", &path(&typed), &[], None).expect(404);
    }

    fn a_manager_who_is_one_no_longer_sees_nobody(app) {
        let (boss, ada, eve) = (manager(app), app.user(), app.user());
        let team = team(&boss);
        join(&boss, &team, &ada);
        put(&boss, &format!("/api/team/{team}/members/{}", eve.id)).expect(201);
        app.set_role(&boss, "member");
        let seen = boss.get("/api/team").expect(200);
        assert!(items(&seen)[0].get("members").is_none(), "{seen:?}");
        for who in [&ada, &eve] {
            assert!(!seen.text.contains(&who.id) && !seen.text.contains(&who.email), "{seen:?}");
        }
        boss.get(&format!("/api/team/{team}/blinks")).expect(403);
    }

    fn acceptances_and_invitations_at_once_are_one_after_the_other(app) {
        let (boss, ada) = (manager(app), app.user());
        let teams = [team(&boss), team(&boss)];
        let at_once = |requests: Vec<(&Client, String)>| {
            let mut answers: Vec<u16> = std::thread::scope(|scope| {
                let sent = requests.iter().map(|(who, path)| scope.spawn(move || put(who, path).status));
                sent.collect::<Vec<_>>().into_iter().map(|answer| answer.join().unwrap()).collect()
            });
            answers.sort_unstable();
            answers
        };
        let invite = |team: &String| (&boss, format!("/api/team/{team}/members/{}", ada.id));
        assert_eq!(at_once(teams.iter().cycle().take(8).map(invite).collect()), [201; 8]);
        let accept = |team: &String| (&ada, format!("/api/team/{team}/members/me"));
        assert_eq!(at_once(teams.iter().map(accept).collect()), [200, 409]);
        // Accepting again records no second consent.
        let joined = items(&ada.get("/api/team").expect(200)).into_iter().find(|t| !t["accepted_at"].is_null()).unwrap();
        put(&ada, &format!("/api/team/{}/members/me", joined["id"].as_str().unwrap())).expect(200);
        let consents = items(&ada.get("/api/user/me/consents").expect(200));
        assert_eq!(consents.iter().filter(|c| c["kind"] == "team").count(), 1);
    }

    fn only_a_manager_makes_teams_and_only_their_own_obey_them(app) {
        let (boss, other, ada) = (manager(app), manager(app), app.user());
        assert_eq!(ada.post("/api/team", &json!({"name": "x"})).expect(403).code(), "forbidden");
        assert_ne!(boss.post("/api/team", &json!({"timezone": "Mars/Olympus"})).expect(422).field("timezone"), "");
        let team = team(&boss);
        for id in [team.as_str(), "00000000-0000-0000-0000-000000000000", "x"] {
            put(&other, &format!("/api/team/{id}/members/{}", ada.id)).expect(403);
            other.get(&format!("/api/team/{id}/blinks")).expect(403);
            other.send("DELETE", &format!("/api/team/{id}/members/{}", ada.id), &[], None).expect(403);
        }
        assert_eq!(put(&boss, &format!("/api/team/{team}/members/nobody@example.org")).expect(404).code(), "no_such_person");
        app.set_role(&other, "admin");
        other.get(&format!("/api/team/{team}/blinks")).expect(200);
        other.get("/api/team/00000000-0000-0000-0000-000000000000/blinks").expect(404);
    }

    fn a_closed_week_of_five_has_one_rounded_figure_that_never_changes(app) {
        app.pass_time("2026-02-25T12:00:00Z");
        let boss = manager(app);
        let team = team(&boss);
        let people: Vec<Client> = (0..6).map(|_| app.user()).collect();
        people.iter().for_each(|member| join(&boss, &team, member));
        app.pass_time("2026-03-08T12:00:00Z");
        let people: Vec<Client> = people.iter().map(|who| app.again(who)).collect();
        for (member, rate) in people.iter().zip([10, 11, 12, 13, 16, 100]) {
            if rate == 100 {
                // A person observed for less than two hours does not count.
                member.store(&minutes("2026-03-02T09:00:00Z", 119, rate));
            } else {
                work(member, rate);
            }
        }
        let weeks = || {
            items(&app.again(&boss).get(&format!("/api/team/{team}/blinks?group=day&from=2026-03-02T00:00:00Z")).expect(200))
        };
        app.pass_time("2026-03-10T23:59:59Z");
        assert_eq!(weeks(), Vec::<Value>::new(), "not before 48 hours have passed");
        app.pass_time("2026-03-11T00:00:00Z");
        let closed = json!([{"from_timestamp": "2026-03-02T00:00:00Z", "to_timestamp": "2026-03-09T00:00:00Z", "suppressed": false, "blinks_per_minute": 12}]);
        assert_eq!(json!(weeks()), closed);
        // Later uploads and people who leave do not change a closed week.
        let late = app.again(&people[0]);
        late.store(&minutes("2026-03-03T09:00:00Z", 500, 60));
        late.send("DELETE", "/api/user/me", &[], None).expect(200);
        assert_eq!(json!(weeks()), closed);
        // Only four people are left, so the next week is suppressed.
        app.pass_time("2026-03-18T00:00:00Z");
        let weeks = weeks();
        assert_eq!(weeks[1], json!({"from_timestamp": "2026-03-09T00:00:00Z", "to_timestamp": "2026-03-16T00:00:00Z", "suppressed": true}));
    }

    fn no_week_is_closed_by_a_clock_that_leapt(app) {
        let boss = manager(app);
        let team = team(&boss);
        eventually("retention ran", || app.anonymous().get("/healthz").json["retention"]["last_run_at"] == NOW);
        let weeks = || items(&app.again(&boss).get(&format!("/api/team/{team}/blinks")).expect(200)).len();
        app.set_time("2026-04-10T12:00:00Z");
        assert_eq!(weeks(), 0);
        app.pass_time("2026-04-10T12:00:00Z");
        assert_eq!(weeks(), 3);
    }

    fn joining_another_team_is_another_consent(app) {
        let (boss, ada) = (manager(app), app.user());
        let said = || {
            let consents = items(&ada.get("/api/user/me/consents").expect(200)).into_iter();
            let team: Vec<bool> = consents.filter(|c| c["kind"] == "team").map(|c| c["granted"] == true).collect();
            let ledger = ledger::read(&app.folder.path().join("ledger.ndjson")).unwrap().into_iter();
            let told = ledger.filter_map(|entry| match entry.what {
                EntryKind::Consent { kind, granted, .. } if kind == "team" => Some(granted),
                _ => None,
            });
            assert_eq!(told.collect::<Vec<_>>(), team);
            team
        };
        let (one, two) = (team(&boss), team(&boss));
        join(&boss, &one, &ada);
        assert_eq!(said(), [true]);
        ada.send("DELETE", &format!("/api/team/{one}/members/me"), &[], None).expect(204);
        assert_eq!(said(), [true, false]);
        // An invitation that is taken back was no consent.
        put(&boss, &format!("/api/team/{two}/members/{}", ada.id)).expect(201);
        boss.send("DELETE", &format!("/api/team/{two}/members/{}", ada.id), &[], None).expect(204);
        assert_eq!(said(), [true, false]);
        join(&boss, &two, &ada);
        boss.send("DELETE", &format!("/api/team/{two}/members/{}", ada.id), &[], None).expect(204);
        assert_eq!(said(), [true, false, true, false]);
        // Whoever left before departures were written has a standing consent, which is not that to the next team.
        join(&boss, &one, &ada);
        open::connect(&app.target).unwrap().batch_execute("DELETE FROM team_members WHERE accepted_at IS NOT NULL").unwrap();
        join(&boss, &two, &ada);
        assert_eq!(said(), [true, false, true, false, true, true]);
    }

    fn who_came_during_the_week_does_not_count_in_it(app) {
        app.pass_time("2026-02-25T12:00:00Z");
        let boss = manager(app);
        let team = team(&boss);
        let people: Vec<Client> = (0..5).map(|_| app.user()).collect();
        people[..4].iter().for_each(|member| join(&boss, &team, member));
        app.pass_time("2026-03-02T00:00:01Z");
        let fresh = |who: &Client| app.again(who);
        join(&fresh(&boss), &team, &fresh(&people[4]));
        app.pass_time("2026-03-08T12:00:00Z");
        people.iter().for_each(|member| work(&fresh(member), 12));
        app.pass_time("2026-03-11T00:00:00Z");
        let weeks = items(&fresh(&boss).get(&format!("/api/team/{team}/blinks")).expect(200));
        assert_eq!((weeks.len(), &weeks[0]["suppressed"]), (1, &json!(true)));
        assert!(weeks[0].get("blinks_per_minute").is_none());
    }
}
