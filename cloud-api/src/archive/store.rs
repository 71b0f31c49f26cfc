//! The object store: a folder, or S3 and compatible services. It has two buckets, and every request has a time limit.

use std::{
    fs, io,
    path::{Path as FilePath, PathBuf},
    sync::Arc,
    time::Duration,
};

use futures_util::TryStreamExt as _;
use object_store::{
    BackoffConfig, ClientOptions, Error as ObjectError, ObjectStore, ObjectStoreExt as _, RetryConfig,
    aws::{AmazonS3Builder, AmazonS3ConfigKey},
    local::LocalFileSystem,
    path::Path,
};

use crate::{
    config::archive::{ArchiveConfig, ArchiveLocation, S3Config},
    failure::{Failure, chain},
};

/// Time limit of one request, with all its attempts.
const BOUND: Duration = Duration::from_secs(20);

/// A staged file older than this was left by a crashed process: writing an object takes less time.
const UNFINISHED: Duration = Duration::from_secs(60 * 60);

/// The environment variables through which AWS gives a role to a program; used only when no keys are configured.
const ROLE_SETTINGS: [(&str, AmazonS3ConfigKey); 5] = [
    ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", AmazonS3ConfigKey::ContainerCredentialsRelativeUri),
    ("AWS_CONTAINER_CREDENTIALS_FULL_URI", AmazonS3ConfigKey::ContainerCredentialsFullUri),
    ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", AmazonS3ConfigKey::ContainerAuthorizationTokenFile),
    ("AWS_WEB_IDENTITY_TOKEN_FILE", AmazonS3ConfigKey::WebIdentityTokenFile),
    ("AWS_ROLE_ARN", AmazonS3ConfigKey::RoleArn),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bucket {
    Data,
    Logs,
}

impl Bucket {
    /// The name in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Logs => "logs",
        }
    }

    /// The bucket of a name in the database, which has no other names.
    #[must_use]
    pub fn of(word: &str) -> Self {
        if word == "logs" { Self::Logs } else { Self::Data }
    }
}

/// Failures of the store. Each message says what the operator can do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the bucket {0} does not exist: make it, or set its name")]
    NoBucket(String),
    /// The access keys are wrong, or lack a permission.
    #[error("{0} refuses: check CLOUD_API_S3_ACCESS_KEY_ID, its secret, and what they permit")]
    Denied(String, #[source] ObjectError),
    #[error("there is no object {0}")]
    NoObject(String),
    /// The store cannot be reached, or answers with an error.
    #[error("{0} does not answer as it should")]
    Away(String, #[source] ObjectError),
    #[error("{0} did not answer within 20 seconds")]
    Slow(String),
}

struct OpenBucket {
    /// The name of the folder or bucket, for messages.
    label: String,
    folder: Option<PathBuf>,
    store: Arc<dyn ObjectStore>,
}

pub struct Stores {
    data: OpenBucket,
    logs: OpenBucket,
}

impl Stores {
    /// Makes the folders. S3 is not contacted yet.
    pub fn open(config: &ArchiveConfig) -> Result<Self, Failure> {
        // In tests, where `main` does not run, no TLS provider is installed yet.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let open = |bucket: &str| match &config.place {
            ArchiveLocation::Folder(path) => folder(&path.join(bucket)),
            ArchiveLocation::S3(s3) => bucket_of(s3, bucket),
        };
        Ok(Self { data: open(&config.data_bucket)?, logs: open(&config.logs_bucket)? })
    }

    fn open_bucket(&self, bucket: Bucket) -> &OpenBucket {
        match bucket {
            Bucket::Data => &self.data,
            Bucket::Logs => &self.logs,
        }
    }

    /// The name of a bucket or its folder, for messages.
    #[must_use]
    pub fn label(&self, bucket: Bucket) -> &str {
        &self.open_bucket(bucket).label
    }

    /// Writes an object atomically and durably. After a failure the object may still appear.
    pub async fn put(&self, bucket: Bucket, name: &str, bytes: Vec<u8>) -> Result<(), StoreError> {
        let bucket = self.open_bucket(bucket);
        bucket.bounded(name, bucket.store.put(&Path::from(name), bytes.into())).await.map(|_| ())
    }

    pub async fn get(&self, bucket: Bucket, name: &str) -> Result<Vec<u8>, StoreError> {
        let (bucket, path) = (self.open_bucket(bucket), Path::from(name));
        let read = async { bucket.store.get(&path).await?.bytes().await };
        Ok(bucket.bounded(name, read).await?.to_vec())
    }

    /// Removes an object. It is no failure if there is none.
    pub async fn delete(&self, bucket: Bucket, name: &str) -> Result<(), StoreError> {
        let bucket = self.open_bucket(bucket);
        match bucket.bounded(name, bucket.store.delete(&Path::from(name))).await {
            Err(StoreError::NoObject(_)) => Ok(()),
            done => done,
        }
    }

    pub async fn list(&self, bucket: Bucket) -> Result<Vec<String>, StoreError> {
        let bucket = self.open_bucket(bucket);
        let mut objects = bucket.store.list(None);
        let mut names = Vec::new();
        while let Some(object) = bucket.bounded("", objects.try_next()).await? {
            names.push(object.location.to_string());
        }
        Ok(names)
    }
}

impl OpenBucket {
    async fn bounded<T>(
        &self,
        name: &str,
        request: impl Future<Output = Result<T, ObjectError>>,
    ) -> Result<T, StoreError> {
        match tokio::time::timeout(BOUND, request).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(e)) => Err(self.explain(name, e)),
            Err(_) => Err(StoreError::Slow(self.label.clone())),
        }
    }

    fn explain(&self, name: &str, e: ObjectError) -> StoreError {
        let folder_gone = self.folder.as_deref().is_some_and(|folder| !folder.is_dir());
        match e {
            ObjectError::NotFound { .. } if folder_gone || chain(&e).contains("NoSuchBucket") => {
                StoreError::NoBucket(self.label.clone())
            }
            ObjectError::NotFound { .. } => StoreError::NoObject(name.to_owned()),
            ObjectError::PermissionDenied { .. } | ObjectError::Unauthenticated { .. } => {
                StoreError::Denied(self.label.clone(), e)
            }
            e => StoreError::Away(self.label.clone(), e),
        }
    }
}

fn folder(path: &FilePath) -> Result<OpenBucket, Failure> {
    let failed = |why: String| {
        let message = format!("The archive's folder {} cannot be used: {why}", path.display());
        Failure::failed("archive_unwritable", message, "Make it writable, or set CLOUD_API_ARCHIVE=folder:PATH.")
    };
    blink_files::private_folder(path).map_err(|e| failed(e.to_string()))?;
    remove_unfinished(path).map_err(|e| failed(e.to_string()))?;
    let store = LocalFileSystem::new_with_prefix(path).map_err(|e| failed(chain(&e)))?;
    Ok(OpenBucket {
        label: path.display().to_string(),
        folder: Some(path.to_owned()),
        store: Arc::new(store.with_automatic_cleanup(true).with_fsync(true)),
    })
}

/// Removes staged files (`NAME#1` beside the object, which no listing shows) of a process that was killed. Files
/// younger than an hour may belong to a running process.
fn remove_unfinished(folder: &FilePath) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let (path, about) = match entry.and_then(|entry| Ok((entry.path(), entry.metadata()?))) {
            // Another process has just renamed or removed the file.
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            found => found?,
        };
        if about.is_dir() {
            remove_unfinished(&path)?;
            continue;
        }
        let staged = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.rsplit_once('#'));
        let staged = staged.is_some_and(|(_, n)| !n.is_empty() && n.bytes().all(|byte| byte.is_ascii_digit()));
        let old = about.modified()?.elapsed().is_ok_and(|age| age > UNFINISHED);
        if staged && old {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

fn bucket_of(s3: &S3Config, bucket: &str) -> Result<OpenBucket, Failure> {
    let local = s3.endpoint.as_deref().is_some_and(|url| url.starts_with("http://"));
    let client = ClientOptions::new()
        // Plain HTTP is used for loopback addresses only: the configuration was checked for that.
        .with_allow_http(local)
        .with_connect_timeout(Duration::from_secs(5))
        .with_timeout(Duration::from_secs(15));
    let backoff = BackoffConfig { max_backoff: Duration::from_secs(2), ..BackoffConfig::default() };
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(bucket)
        .with_region(&s3.region)
        // A bucket name with dots does not match AWS's wildcard certificate.
        .with_virtual_hosted_style_request(s3.endpoint.is_none() && !bucket.contains('.'))
        // Not every S3-compatible store supports bulk deletion.
        .with_disable_bulk_delete(true)
        .with_client_options(client)
        .with_retry(RetryConfig { backoff, max_retries: 2, retry_timeout: Duration::from_secs(10) });
    if let Some(endpoint) = &s3.endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    match &s3.keys {
        Some((id, secret)) => {
            builder = builder.with_access_key_id(id).with_secret_access_key(secret.expose());
            if let Some(token) = &s3.session_token {
                builder = builder.with_token(token.expose());
            }
        }
        None => {
            for (name, key) in ROLE_SETTINGS {
                if let Ok(value) = std::env::var(name) {
                    builder = builder.with_config(key, value);
                }
            }
        }
    }
    let store = builder.build().map_err(|e| {
        let message = format!("S3 cannot be set up: {}", chain(&e));
        Failure::usage("bad_s3", message, "Check CLOUD_API_S3_ENDPOINT and CLOUD_API_S3_REGION.")
    })?;
    let place = s3.endpoint.as_deref().unwrap_or("AWS");
    Ok(OpenBucket { label: format!("{bucket} at {place}"), folder: None, store: Arc::new(store) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_folder_keeps_and_loses_objects_and_nothing_around_them() {
        let home = tempfile::tempdir().unwrap();
        let config = ArchiveConfig {
            place: ArchiveLocation::Folder(home.path().join("archive")),
            gather_ms: 0,
            queue_max_bytes: 1,
            data_bucket: "data-bucket".to_owned(),
            logs_bucket: "logs-bucket".to_owned(),
        };
        let stores = Stores::open(&config).unwrap();
        stores.put(Bucket::Data, "a/2026-03/b", b"one".to_vec()).await.unwrap();
        assert_eq!(stores.get(Bucket::Data, "a/2026-03/b").await.unwrap(), b"one");
        assert_eq!(stores.list(Bucket::Data).await.unwrap(), ["a/2026-03/b"]);
        assert!(stores.list(Bucket::Logs).await.unwrap().is_empty());
        assert!(matches!(stores.get(Bucket::Logs, "a/2026-03/b").await, Err(StoreError::NoObject(_))));
        stores.delete(Bucket::Data, "a/2026-03/b").await.unwrap();
        stores.delete(Bucket::Data, "a/2026-03/b").await.unwrap();
        assert_eq!(fs::read_dir(home.path().join("archive/data-bucket")).unwrap().count(), 0, "no empty folders");
        // Staged files of a killed process are removed at the next start; those of a running one stay.
        let old = std::time::SystemTime::now() - Duration::from_secs(2 * 60 * 60);
        let staged = |name: &str| home.path().join("archive/data-bucket").join(name);
        for name in ["killed#1", "object"] {
            fs::File::create(staged(name)).unwrap().set_modified(old).unwrap();
        }
        fs::write(staged("young#2"), "x").unwrap();
        let stores = {
            drop(stores);
            Stores::open(&config).unwrap()
        };
        assert!(!staged("killed#1").exists() && staged("object").exists() && staged("young#2").exists());
        // A missing volume must not count as a removed object.
        fs::remove_dir_all(home.path().join("archive")).unwrap();
        assert!(matches!(stores.delete(Bucket::Data, "x/y").await, Err(StoreError::NoBucket(_))));
    }
}
