//! HTTPS with rustls. Certificate and key are read anew when their files change.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, RwLock},
    time::SystemTime,
};

use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use crate::given_file;

#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("{0} cannot be read")]
    Io(PathBuf, #[source] io::Error),
    #[error("{0} is no PEM file of the right kind")]
    Pem(PathBuf),
    /// They do not belong together, or the key is of an unsupported kind.
    #[error("certificate and key do not fit each other")]
    Mismatch(#[source] rustls::Error),
}

type Stamp = [Option<(SystemTime, u64)>; 2];

/// A certificate that is replaced when its files change.
pub(crate) struct Certificate {
    files: [PathBuf; 2],
    current: RwLock<Arc<CertifiedKey>>,
    seen: Mutex<Stamp>,
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificate").field("files", &self.files).finish_non_exhaustive()
    }
}

fn read(files: &[PathBuf; 2]) -> Result<Arc<CertifiedKey>, TlsError> {
    let [certificate, key] = files;
    let no_pem = |path: &Path| TlsError::Pem(path.to_owned());
    let bytes = |path: &Path| given_file::read(path).map_err(|e| TlsError::Io(path.to_owned(), e));
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes(certificate)?).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty()).ok_or_else(|| no_pem(certificate))?;
    let key = PrivateKeyDer::from_pem_slice(&bytes(key)?).map_err(|_| no_pem(key))?;
    CertifiedKey::from_der(chain, key, &ring::default_provider()).map(Arc::new).map_err(TlsError::Mismatch)
}

fn stamp(files: &[PathBuf; 2]) -> Stamp {
    files.each_ref().map(|path| {
        let data = fs::metadata(path).ok()?;
        Some((data.modified().ok()?, data.len()))
    })
}

impl Certificate {
    /// Reads certificate chain and key, both PEM.
    pub(crate) fn load(certificate: &Path, key: &Path) -> Result<Arc<Self>, TlsError> {
        let files = [certificate.to_owned(), key.to_owned()];
        let seen = Mutex::new(stamp(&files));
        let current = RwLock::new(read(&files)?);
        Ok(Arc::new(Self { files, current, seen }))
    }

    /// Reads the files anew if they changed. If they do not fit each other, as while they are being replaced, the old
    /// pair stays in use and they are read again at the next call.
    pub(crate) fn follow(&self) {
        let now = stamp(&self.files);
        let Ok(mut seen) = self.seen.lock() else { return };
        if *seen == now {
            return;
        }
        match read(&self.files) {
            Ok(fresh) => {
                if let Ok(mut current) = self.current.write() {
                    *current = fresh;
                    *seen = now;
                    tracing::info!("the certificate changed; new connections get the new one");
                }
            }
            Err(e) => tracing::warn!(error = %e, "the certificate changed and cannot be used; the old one stays"),
        }
    }

    #[must_use]
    pub(crate) fn server_config(self: &Arc<Self>) -> ServerConfig {
        ServerConfig::builder().with_no_client_auth().with_cert_resolver(self.clone())
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.current.read().ok().map(|current| current.clone())
    }
}
