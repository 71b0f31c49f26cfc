//! Tests of the socket with clients that are wrong, slow or many.

use std::{
    io::{Read as _, Write as _},
    thread,
    time::Duration,
};

use blink_proto::ipc::{FromDaemon, Hello, Request, ToDaemon};

use crate::fixture::{Client, Fixture};

fn raw(fixture: &Fixture) -> Client {
    Client::connect(&fixture.paths().socket())
}

fn refusal(client: &mut Client) -> String {
    loop {
        match client.receive() {
            Some(FromDaemon::Refused(problem)) => {
                assert!(client.receive().is_none(), "the connection ends");
                return problem.code;
            }
            Some(FromDaemon::Hello(_)) => {}
            other => panic!("no refusal: {other:?}"),
        }
    }
}

#[test]
fn a_client_of_another_protocol_hears_why_it_is_refused() {
    let (_, fixture) = Fixture::new();
    let mut client = raw(&fixture);
    client.send(ToDaemon::Hello(Hello { protocol: 99, oldest: 98, ..Hello::of("blinkctl", "9.9.9") }));
    assert_eq!(refusal(&mut client), "protocol");
    let mut newer = raw(&fixture);
    newer.send(ToDaemon::Hello(Hello { protocol: 2, oldest: 1, ..Hello::of("blinkctl", "0.2.0") }));
    assert!(matches!(newer.receive(), Some(FromDaemon::Hello(_))));
    newer.status();
}

#[test]
fn what_is_no_frame_ends_that_connection_alone() {
    let (mut bystander, fixture) = Fixture::new();
    for bytes in
        [&b"\0\0\0\x02{]"[..], b"\0\0\0\x0d{\"call\":null}", b"GET / HTTP/1.1\r\n\r\n", &[0xff; 64], b"\0\0\0\x00"]
    {
        let mut client = raw(&fixture);
        client.stream.write_all(bytes).unwrap();
        assert_eq!(refusal(&mut client), "bad_frame", "{bytes:?}");
        let mut client = fixture.client();
        client.stream.write_all(bytes).unwrap();
        assert_eq!(refusal(&mut client), "bad_frame", "{bytes:?} after a hello");
        bystander.status();
    }
}

#[test]
fn a_call_before_the_hello_and_a_second_hello_are_refused() {
    let (_, fixture) = Fixture::new();
    let mut client = raw(&fixture);
    client.send(ToDaemon::Call(blink_proto::ipc::Call { id: 1, request: Request::Status }));
    assert_eq!(refusal(&mut client), "bad_frame");
    let mut client = fixture.client();
    client.send(ToDaemon::Hello(Hello::of("test", "0")));
    assert_eq!(refusal(&mut client), "bad_frame");
}

#[test]
fn a_request_of_the_future_is_answered() {
    let (mut client, _fixture) = Fixture::new();
    let text = br#"{"call":{"id":7,"request":{"type":"dance","speed":3}}}"#;
    let length = u32::try_from(text.len()).unwrap().to_be_bytes();
    client.stream.write_all(&[&length[..], text].concat()).unwrap();
    let Some(FromDaemon::Answer(answer)) = client.receive() else { panic!("no answer") };
    assert_eq!(answer.id, 7);
    assert!(matches!(answer.outcome, blink_proto::ipc::Outcome::Error(problem) if problem.code == "unknown_request"));
}

#[test]
fn many_clients_are_served_at_once() {
    let (_, fixture) = Fixture::new();
    let mut clients: Vec<_> = (0..200).map(|_| fixture.client()).collect();
    thread::scope(|scope| {
        for chunk in clients.chunks_mut(20) {
            scope.spawn(|| chunk.iter_mut().for_each(|client| drop(client.status())));
        }
    });
}

#[test]
fn a_client_that_never_reads_is_dropped_and_hurts_nobody() {
    let (mut bystander, fixture) = Fixture::new();
    let mut deaf = fixture.client();
    deaf.stream.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
    let text = br#"{"call":{"id":1,"request":{"type":"status"}}}"#;
    let frame = [&u32::try_from(text.len()).unwrap().to_be_bytes()[..], text].concat();
    let flood = frame.repeat(1_000);
    let mut writer = deaf.stream.try_clone().unwrap();
    let writing = thread::spawn(move || while writer.write_all(&flood).is_ok() {});
    for _ in 0..20 {
        bystander.status();
    }
    // The daemon drops this client; until then it reads no further requests of it.
    writing.join().unwrap();
    let mut rest = Vec::new();
    let _ = deaf.stream.read_to_end(&mut rest);
    bystander.status();
}
