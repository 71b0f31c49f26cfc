//! `blinkctl owner`.

use blink_proto::ipc::Request;
use rstest::rstest;

use crate::{
    fake::{Behaviour, Fake},
    run::Profile,
};

#[rstest]
#[case("owner_enroll", &["owner", "enroll"], Request::OwnerEnroll)]
#[case("owner_enroll_json", &["owner", "enroll", "--json"], Request::OwnerEnroll)]
#[case("owner_forget", &["owner", "forget"], Request::OwnerForget)]
#[case("owner_forget_json", &["owner", "forget", "--json"], Request::OwnerForget)]
fn the_daemon_is_asked(#[case] name: &str, #[case] args: &[&str], #[case] request: Request) {
    let profile = Profile::new();
    let daemon = Fake::start(&profile.paths(), Behaviour::default());
    insta::assert_snapshot!(name, profile.run(args).transcript());
    assert_eq!(daemon.asked(), [request]);
}
