//! Turns errors of ureq and rustls into words for the person.

use super::NetError;

pub(super) fn net_error(error: &ureq::Error) -> NetError {
    use ureq::Error as E;
    match error {
        E::Timeout(_) => NetError::TimedOut,
        E::Io(error) if error.kind() == std::io::ErrorKind::TimedOut => NetError::TimedOut,
        E::Io(error) => tls_inside(error).unwrap_or_else(|| NetError::Unreachable(plain_io(error))),
        E::HostNotFound => NetError::Unreachable("its name is not known".to_owned()),
        E::ConnectionFailed => NetError::Unreachable("no connection".to_owned()),
        E::Tls(why) => NetError::Tls((*why).to_owned()),
        E::Rustls(error) => tls_error(error),
        E::Protocol(_) | E::LargeResponseHeader(..) | E::BodyExceedsLimit(_) | E::Json(_) => {
            NetError::Protocol(error.to_string())
        }
        other => NetError::Unreachable(other.to_string()),
    }
}

/// rustls reports its handshake errors inside I/O errors.
fn tls_inside(error: &std::io::Error) -> Option<NetError> {
    error.get_ref()?.downcast_ref::<rustls::Error>().map(tls_error)
}

fn tls_error(error: &rustls::Error) -> NetError {
    match error {
        rustls::Error::InvalidMessage(_) => NetError::NoTls,
        other => NetError::Tls(plain_tls(other)),
    }
}

fn plain_io(error: &std::io::Error) -> String {
    use std::io::ErrorKind as K;
    match error.kind() {
        K::ConnectionRefused => "nothing listens there".to_owned(),
        K::NetworkUnreachable | K::HostUnreachable => "there is no network to it".to_owned(),
        K::ConnectionReset | K::ConnectionAborted | K::UnexpectedEof | K::BrokenPipe => "it hung up".to_owned(),
        _ => error.to_string(),
    }
}

fn plain_tls(error: &rustls::Error) -> String {
    use rustls::{CertificateError as C, Error as E};
    match error {
        // An authority was made anew under its old name.
        E::InvalidCertificate(C::BadSignature) => "its certificate is not signed by the authority it names".to_owned(),
        E::InvalidCertificate(C::UnknownIssuer) => "its certificate is of an unknown authority".to_owned(),
        E::InvalidCertificate(C::Expired | C::ExpiredContext { .. }) => "its certificate has expired".to_owned(),
        E::InvalidCertificate(C::NotValidYet | C::NotValidYetContext { .. }) => {
            "its certificate is not valid yet".to_owned()
        }
        E::InvalidCertificate(C::NotValidForName | C::NotValidForNameContext { .. }) => {
            "its certificate is for another name".to_owned()
        }
        other => other.to_string(),
    }
}
