//! Opens the listening socket, and explains why that failed.

use std::{
    io,
    net::{SocketAddr, TcpListener},
};

use crate::failure::{Failure, Kind};

/// Longest time that a client may leave an answer unread, in milliseconds.
#[cfg(target_os = "linux")]
const READER_MS: u32 = 30_000;

pub(super) fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    let failed = |e: io::Error| cannot_listen(address, &e);
    let listener = TcpListener::bind(address).map_err(failed)?;
    // Accepted connections inherit this: the kernel closes those whose client reads nothing.
    #[cfg(target_os = "linux")]
    rustix::net::sockopt::set_tcp_user_timeout(&listener, READER_MS).map_err(|e| failed(e.into()))?;
    Ok(listener)
}

pub(super) fn cannot_listen(address: SocketAddr, e: &io::Error) -> Failure {
    match e.kind() {
        io::ErrorKind::AddrInUse => Failure {
            problem: blink_proto::Problem::new(
                "port_in_use",
                format!("{address} is in use by another program"),
                "Stop that program, or choose another port with --listen.",
            ),
            kind: Kind::InUse,
        },
        io::ErrorKind::PermissionDenied => Failure::usage(
            "listen_denied",
            format!("Listening on {address} is not permitted"),
            "Choose a port above 1023 with --listen.",
        ),
        _ => Failure::usage(
            "bad_listen",
            format!("Cannot listen on {address}: {e}"),
            "Choose an address of this machine with --listen.",
        ),
    }
}
