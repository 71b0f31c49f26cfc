//! Reading one's own minutes whole, from another machine.

use std::collections::BTreeSet;

use blink_proto::http::{MinutesByDevice, OwnMinutes};
use serde_json::json;
use uuid::Uuid;

use crate::harness::*;

const PATH: &str = "/api/user/me/minutes";

fn page(who: &Client, query: &str) -> OwnMinutes {
    serde_json::from_value(who.get(&format!("{PATH}?{query}")).expect(200).json).unwrap()
}

fn pages(who: &Client, query: &str) -> Vec<blink_proto::Minute> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let OwnMinutes { items, next_cursor, .. } = page(who, &format!("{query}{cursor}"));
        found.extend(items);
        match next_cursor {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

fn machine_of(who: &Client) -> Client {
    Client { device: Uuid::new_v4(), ..who.clone() }
}

contract! {
    fn pages_hold_every_minute_once_in_order_of_time(app) {
        let ada = app.user();
        let (desk, laptop) = (machine_of(&ada), machine_of(&ada));
        for (machine, from) in [(&ada, "2026-02-28T23:50:00Z"), (&desk, "2026-02-28T23:50:00Z"), (&laptop, "2026-03-01T00:00:00Z")] {
            machine.store(&minutes(from, 20, 3));
        }
        app.user().store(&minutes("2026-02-28T23:50:00Z", 20, 9));
        let whole = pages(&ada, "limit=1000");
        assert_eq!(whole.len(), 60);
        let keys: Vec<_> = whole.iter().map(|m| (m.from_timestamp, m.device_id)).collect();
        assert!(keys.is_sorted() && keys.iter().collect::<BTreeSet<_>>().len() == 60);
        assert!(whole.iter().all(|m| m.user_id.unwrap().to_string() == ada.id && m.blink_count == 3 && m.check().is_ok()));
        for limit in [1, 7, 20, 59, 60] {
            assert_eq!(pages(&ada, &format!("limit={limit}")), whole, "limit {limit}");
        }
        let others: Vec<_> = whole.iter().filter(|m| m.device_id.0 != ada.device).cloned().collect();
        assert_eq!(pages(&ada, &format!("limit=7&not_device={}", ada.device)), others);
        let range = "from=2026-03-01T00:00:00Z&to=2026-03-01T00:05:00Z";
        assert_eq!(pages(&ada, &format!("limit=4&{range}")).len(), 15);
        let counted: MinutesByDevice = serde_json::from_value(ada.get(&format!("{PATH}/devices?not_device={}", ada.device)).expect(200).json).unwrap();
        let mut expected = [desk.device, laptop.device];
        expected.sort();
        assert_eq!(counted.items.iter().map(|i| (i.device_id.0, i.minutes)).collect::<Vec<_>>(), expected.map(|d| (d, 20)));
    }

    fn a_minute_is_what_was_uploaded(app) {
        let ada = app.user();
        let sent = minutes("2026-03-09T09:00:00Z", 1, 15);
        ada.store(&sent);
        let whole = changed(sent[0].clone(), &json!({"user_id": ada.id, "device_id": ada.device}));
        let answer = ada.get(PATH).expect(200).json;
        assert_eq!(answer, json!({"items": [whole], "next_cursor": null, "as_of": NOW}));
    }

    fn what_arrives_late_is_found_by_its_arrival(app) {
        let ada = app.user();
        ada.store(&minutes("2026-03-09T09:00:00Z", 3, 1));
        let as_of = page(&ada, "").as_of;
        app.set_time("2026-03-10T12:05:00Z");
        let since = format!("received_from={as_of}");
        assert_eq!(pages(&ada, &since).len(), 3, "what came in the same moment may have been missed");
        let late = machine_of(&ada);
        late.store(&minutes("2026-03-01T09:00:00Z", 2, 1));
        let found = pages(&ada, "received_from=2026-03-10T12:05:00Z");
        assert_eq!(found.iter().map(|m| m.device_id.0).collect::<Vec<_>>(), [late.device; 2]);
        let counted = ada.get(&format!("{PATH}/devices?received_from=2026-03-10T12:05:00Z")).expect(200).json;
        assert_eq!(counted, json!({"items": [{"device_id": late.device, "minutes": 2}]}));
    }

    fn whoever_has_none_gets_none_and_strangers_get_nothing(app) {
        let ada = app.user();
        assert_eq!(ada.get(PATH).expect(200).json, json!({"items": [], "next_cursor": null, "as_of": NOW}));
        assert_eq!(ada.get(&format!("{PATH}/devices")).expect(200).json, json!({"items": []}));
        assert_eq!(ada.get(&format!("{PATH}?to=0160-06-02T00:00:00Z")).expect(200).json["items"], json!([]));
        for path in [PATH, "/api/user/me/minutes/devices"] {
            app.anonymous().get(path).expect(401);
        }
    }

    fn a_wrong_parameter_is_named(app) {
        let ada = app.user();
        let history = "bWludXRlOjA";
        for (query, field) in [
            ("limit=0", "limit"), ("limit=1001", "limit"), ("from=today", "from"), ("not_device=mine", "not_device"), ("received_from=x", "received_from"),
            ("from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z", "to"), ("limit=1&limit=2", "limit"), ("cursor=x", "cursor"), (&format!("cursor={history}"), "cursor"),
        ] {
            let answer = ada.get(&format!("{PATH}?{query}")).expect(422);
            assert_ne!(answer.field(field), "", "{query}: {answer:?}");
        }
    }
}
