//! State in memory, for jobs that need none after their end and for tests.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use seatun_api::Result;

use super::{Created, StateStore};

/// Keeps files in a map.
#[derive(Debug, Default)]
pub struct MemoryStore {
    files: Mutex<BTreeMap<String, Bytes>>,
}

impl MemoryStore {
    fn files(&self) -> MutexGuard<'_, BTreeMap<String, Bytes>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl StateStore for MemoryStore {
    async fn get_at_most(&self, path: &str, limit: u64) -> Result<Option<Bytes>> {
        let found = self.files().get(path).cloned();
        match found {
            Some(bytes) if bytes.len() as u64 > limit => Err(super::too_large(path, bytes.len() as u64)),
            found => Ok(found),
        }
    }

    async fn create(&self, path: &str, bytes: Bytes) -> Result<Created> {
        let mut files = self.files();
        if let Some(there) = files.get(path) {
            return Ok(Created::AlreadyThere(there.clone()));
        }
        files.insert(path.to_owned(), bytes);
        Ok(Created::Now)
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>> {
        let below =
            if prefix.is_empty() { String::new() } else { format!("{}/", prefix.trim_end_matches('/')) };
        Ok(self.files().keys().filter(|path| path.starts_with(&below)).cloned().collect())
    }

    async fn delete(&self, path: &str) -> Result<()> {
        self.files().remove(path);
        Ok(())
    }

    fn uri(&self) -> String {
        "memory:".to_owned()
    }
}
