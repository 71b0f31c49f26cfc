//! Tests of the socket with other users of the machine, and with clients that do not finish.

use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _},
        process::CommandExt as _,
    },
    path::Path,
    process::Command,
    time::Duration,
};

use blink_proto::ipc::{FromDaemon, Request};

use crate::fixture::{Client, Fixture, say};

/// The user id of `nobody`, on every Linux.
const NOBODY: u32 = 65_534;

/// Connects to a socket and prints the result; every Debian has Perl's base modules.
const STRANGER: &str = "use Socket; $SIG{PIPE} = 'IGNORE'; \
    socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die; \
    connect($s, sockaddr_un($ARGV[0])) or do { print \"refused: $!\"; exit }; \
    syswrite($s, \"\\0\\0\\0\\2{}\"); \
    my $n = sysread($s, my $bytes, 4096); \
    print 'got ', defined $n ? $n : 'reset', ' bytes';";

/// The result of [`STRANGER`] for the user `nobody`; `None`, with the reason printed, if this user cannot become them.
fn as_nobody(socket: &Path) -> Option<String> {
    let mut command = Command::new("perl");
    command.arg("-e").arg(STRANGER).arg(socket).uid(NOBODY).gid(NOBODY).current_dir("/");
    match command.output() {
        Ok(output) if output.status.success() => Some(String::from_utf8(output.stdout).unwrap()),
        Ok(output) => panic!("{}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => {
            say(&format!("skipped: this user cannot become another one: {error}"));
            None
        }
    }
}

#[test]
fn another_user_is_stopped_by_the_folder_and_by_who_they_are() {
    let (mut client, fixture) = Fixture::new();
    let socket = fixture.paths().socket();
    if fs::metadata(&socket).unwrap().uid() == NOBODY {
        say("skipped: this user is nobody");
        return;
    }
    let Some(met) = as_nobody(&socket) else { return };
    assert_eq!(met, "refused: Permission denied");
    // Even with all permissions open, the daemon checks the client's user id.
    for path in socket.ancestors().take_while(|path| path.starts_with(fixture.folder.path())) {
        fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
    }
    let met = as_nobody(&socket).unwrap();
    assert!(met == "got 0 bytes" || met == "got reset bytes", "{met}");
    client.status();
    fixture.client().status();
}

#[test]
fn a_client_that_does_not_greet_is_hung_up_on_and_half_a_frame_holds_up_nobody() {
    let (mut bystander, fixture) = Fixture::new();
    let socket = fixture.paths().socket();
    let mut silent = Client::connect(&socket);
    let mut halves: Vec<Client> = (0..50)
        .map(|_| {
            let mut half = fixture.client();
            half.stream.write_all(b"\0\0\x01\0{\"call\":{\"id\":1,").unwrap();
            half
        })
        .collect();
    bystander.status();
    // The daemon waits five seconds for a greeting.
    silent.stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut bytes = Vec::new();
    silent.stream.read_to_end(&mut bytes).unwrap();
    assert!(bytes.len() > 4, "its hello, and then the end");
    bystander.status();
    // Half a frame may be completed, or the client may disconnect.
    let rest = b"\"request\":{\"type\":\"status\"}}}";
    let padding = vec![b' '; 0x100 - 16 - rest.len()];
    halves[0].stream.write_all(&[&rest[..], &padding].concat()).unwrap();
    assert!(matches!(halves[0].receive(), Some(blink_proto::ipc::FromDaemon::Answer(_))));
    drop(halves);
    fixture.client().status();
}

#[test]
fn more_clients_than_there_is_room_for_are_turned_away_and_room_is_made_again() {
    let (mut bystander, fixture) = Fixture::new();
    let socket = fixture.paths().socket();
    let crowd: Vec<Client> = (1..512).map(|_| fixture.client()).collect();
    let mut one_too_many = fixture.client();
    let Some(FromDaemon::Refused(problem)) = one_too_many.receive() else { panic!("it is told why") };
    assert!(problem.code == "busy" && problem.message.contains("runs"), "{problem}");
    bystander.status();
    drop(crowd);
    crate::fixture::until("room", || {
        let mut client = Client::connect(&socket);
        client.greet();
        // A refused client is disconnected, possibly before its call was written.
        client.try_call(Request::Status).is_some()
    });
}
