//! HTTPS, and a certificate that changes while the server runs.

use std::{
    io,
    net::TcpStream,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};

use crate::process::{Running, program};

/// Writes a new certificate for this machine and returns it as PEM.
fn certificate(folder: &Path) -> String {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    std::fs::write(folder.join("key.pem"), signing_key.serialize_pem()).unwrap();
    std::fs::write(folder.join("cert.pem"), cert.pem()).unwrap();
    cert.pem()
}

fn health(address: &str, trusted: &str) -> Result<ureq::http::Response<ureq::Body>, ureq::Error> {
    let root = ureq::tls::Certificate::from_pem(trusted.as_bytes()).unwrap();
    let tls = ureq::tls::TlsConfig::builder().root_certs(ureq::tls::RootCerts::new_with_certs(&[root])).build();
    let agent =
        ureq::Agent::config_builder().tls_config(tls).timeout_global(Some(Duration::from_secs(10))).build().new_agent();
    agent.get(format!("{address}/health")).call()
}

/// The protocol that the server chooses from these.
fn chosen(address: &str, trusted: &str, offered: &[&str]) -> io::Result<Option<Vec<u8>>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trusted.as_bytes()).unwrap()).unwrap();
    let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = offered.iter().map(|name| name.as_bytes().to_vec()).collect();
    let mut client = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
    client.complete_io(&mut TcpStream::connect(address.trim_start_matches("https://"))?)?;
    Ok(client.alpn_protocol().map(<[u8]>::to_vec))
}

/// HTTP/2 is not spoken: an answer that its client never takes would stay in memory, where the kernel sees no delay.
#[test]
fn http_2_is_not_offered() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let home = tempfile::tempdir().unwrap();
    let trusted = certificate(home.path());
    let mut command = program(home.path());
    command.args(["serve", "--listen", "127.0.0.1:0", "--tls-cert", "cert.pem", "--tls-key", "key.pem"]);
    let running = Running::start(command);
    let spoken = chosen(&running.address, &trusted, &["h2", "http/1.1"]).unwrap();
    assert_eq!(spoken.as_deref(), Some(&b"http/1.1"[..]));
    let refused = chosen(&running.address, &trusted, &["h2"]).unwrap_err();
    assert!(refused.to_string().contains("NoApplicationProtocol"), "{refused}");
}

#[test]
fn https_follows_its_files() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let home = tempfile::tempdir().unwrap();
    let first = certificate(home.path());
    let serve = || {
        let mut command = program(home.path());
        command.args(["serve", "--listen", "127.0.0.1:0", "--tls-cert", "cert.pem", "--tls-key", "key.pem"]);
        command
    };
    let running = Running::start(serve());
    assert!(running.address.starts_with("https://127.0.0.1:"), "{}", running.address);
    let answer = health(&running.address, &first).unwrap();
    assert!(answer.headers().contains_key("strict-transport-security"));
    assert!(ureq::get(running.address.replace("https", "http")).call().is_err(), "plain HTTP on the TLS port");

    let second = certificate(home.path());
    let deadline = Instant::now() + Duration::from_secs(20);
    while let Err(e) = health(&running.address, &second) {
        assert!(Instant::now() < deadline, "the new certificate never came: {e}");
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(health(&running.address, &first).is_err());
    // If the new pair is damaged, the old one stays in use.
    std::fs::write(home.path().join("cert.pem"), "nonsense").unwrap();
    health(&running.address, &second).unwrap();
    let (code, took, _) = running.stop(Signal::TERM);
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(2), "{took:?}");

    let output = serve().output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(String::from_utf8(output.stderr).unwrap().lines().count(), 1);
}
