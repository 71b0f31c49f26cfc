//! HTTPS, and a certificate that changes while the server runs.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use rustix::process::Signal;

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
