//! The server goes away and comes back: the daemon reports that, keeps counting, and nothing is lost or doubled.

use std::time::Duration;

use blink_proto::{MinuteStart, status::State};
use jiff::Timestamp;
use waw_tests::{Daemon, Profile, Server, clip, until};

const EMAIL: &str = "ada@example.org";

#[test]
fn minutes_wait_for_the_server_and_arrive_once() {
    let (profile, operator) = (Profile::new(), Profile::new());
    let mut server = Server::start(&operator);
    let address = server.address();
    let clip = clip::synthesize(&profile, 10, 40, 9);
    let _daemon = Daemon::start(&profile, &format!("file:{}", clip.path.display()));
    let user_id = profile.register(&server, EMAIL);
    profile.status_when("blinks", Duration::from_secs(60), |status| status.blinks_session > 0);
    server.program().kill();

    profile.status_when("the end of the file", Duration::from_secs(60), |status| status.state == State::NoCamera);
    let sealed = MinuteStart::containing(Timestamp::now()).end() + Duration::from_secs(2);
    until("the end of the minute", Duration::from_secs(65), || (Timestamp::now() > sealed).then_some(()));
    profile.status_when("a minute in the queue", Duration::from_secs(10), |status| status.queue.pending > 0);

    let line = profile.ctl(&["sync"]).failure(1);
    let queue = profile.status().queue;
    let problem = queue.last_error.expect("the reason is shown");
    assert!(queue.pending > 0 && !problem.fix.is_empty(), "{problem:?}");
    assert_eq!(line, problem.to_string());

    let server = Server::listening(&operator, &address);
    profile.ctl(&["sync"]).success();
    // The second time there is nothing left to send, and nothing arrives twice.
    profile.ctl(&["sync"]).success();
    let status = profile.status();
    assert_eq!((status.queue.pending, status.queue.last_error), (0, None));
    let (on_server, _) = server.blinks_of(&user_id, EMAIL);
    assert_eq!((on_server, on_server), (status.blinks_session, clip.blinks.len() as u64));
}

#[test]
fn accounts_need_a_server_that_answers() {
    let (profile, operator) = (Profile::new(), Profile::new());
    let _daemon = Daemon::start(&profile, "synthetic");
    // A port on which nobody listens.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{free}");
    let register = ["register", "--server", &url, "--email", EMAIL, "--password-stdin", "--accept-consent"];
    let line = profile.ctl_with(&register, "correct horse battery\n").failure(1);
    assert!(line.contains("cannot be reached") && line.contains("address"), "{line}");
    assert!(!profile.status().consent, "a registration that failed is no consent");
    profile.ctl(&["whoami"]).failure(4);
    profile.ctl(&["sync"]).failure(4);

    let server = Server::start(&operator);
    let user_id = profile.register(&server, EMAIL);
    assert!(profile.ctl(&["whoami", "--json"]).success().contains(&user_id));
    profile.ctl(&["logout"]).success();
    profile.ctl(&["whoami"]).failure(4);

    let url = server.url();
    let login = ["login", "--server", &url, "--email", EMAIL, "--password-stdin"];
    let line = profile.ctl_with(&login, "wrong horse battery\n").failure(1);
    assert!(!line.contains("horse"), "{line}");
    let unknown = ["login", "--server", &url, "--email", "bob@example.org", "--password-stdin"];
    assert_eq!(profile.ctl_with(&unknown, "correct horse battery\n").failure(1), line, "unknown and wrong look alike");
    assert!(profile.ctl_with(&login, "correct horse battery\n").success().contains("Signed in"));
    let again = profile.ctl_with(&register_at(&url), "correct horse battery\n");
    assert_ne!(again.code, Some(0), "the address is taken");
}

fn register_at(url: &str) -> [&str; 7] {
    ["register", "--server", url, "--email", EMAIL, "--password-stdin", "--accept-consent"]
}
