//! `blinkctl open`.

use blink_proto::{
    ipc::{Reply, Request},
    status::{Account, Status},
};
use rstest::rstest;

use crate::{
    fake::{Behaviour, Fake, healthy, ok, tracking},
    run::Profile,
};

fn with_account(server: Option<&'static str>) -> Behaviour {
    Behaviour {
        handler: Box::new(move |request| match request {
            Request::Status => {
                let account = server.map(|server| Account { email: "ada@example.org".into(), server: server.into() });
                ok(Reply::Status(Status { account, ..tracking() }))
            }
            other => healthy(other),
        }),
        ..Behaviour::default()
    }
}

#[test]
fn the_dashboard_is_opened() {
    let mut profile = Profile::new();
    profile.program("xdg-open", "exit 0");
    let _daemon = Fake::start(&profile.paths(), Behaviour::default());
    insta::assert_snapshot!("open", profile.run(&["open"]).transcript());
    assert_eq!(profile.calls("xdg-open"), ["https://waw.example.org"]);
}

#[test]
fn for_programs_the_address_is_only_printed() {
    let mut profile = Profile::new();
    profile.program("xdg-open", "exit 0");
    let _daemon = Fake::start(&profile.paths(), Behaviour::default());
    insta::assert_snapshot!("open_json", profile.run(&["open", "--json"]).transcript());
    assert_eq!(profile.calls("xdg-open"), Vec::<String>::new());
}

#[rstest]
#[case::fails("open_no_browser", "exit 3", Some("https://waw.example.org"), 1)]
#[case::no_page("open_no_page", "exit 0", Some("file:///etc/passwd"), 1)]
#[case::signed_out("open_signed_out", "exit 0", None, 4)]
fn what_keeps_it_from_opening_is_told(
    #[case] name: &str,
    #[case] opener: &str,
    #[case] server: Option<&'static str>,
    #[case] exit: i32,
) {
    let mut profile = Profile::new();
    profile.program("xdg-open", opener);
    let _daemon = Fake::start(&profile.paths(), with_account(server));
    let ran = profile.run(&["open"]);
    ran.assert_fails(exit);
    insta::assert_snapshot!(name, ran.transcript());
}
