//! A run's hold on its job: publish, mark, take over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use seatun_api::{Epoch, Error, Generation, Result, error, failpoint};

use crate::decide::{self, Beyond, Met, Verdict};
use crate::epochs::{Listing, read_manifest};
use crate::frame;
use crate::layout::Layout;
use crate::manifest::{FORMAT, FileRef, KEY_GROUPS, Manifest, ManifestBody, ManifestKind};
use crate::record::{Marker, RunRecord, now_ms};
use crate::store::{Created, StateStore};
use crate::{codes, view};

/// The state of a job, held by one run of it.
///
/// The order of calls is: [`open`](Self::open), then if the [`Recovery`](crate::Recovery) says so the
/// commit and [`mark_committed`](Self::mark_committed), then [`take_over`](Self::take_over); only then may
/// anything be discarded. From there on, for each epoch: [`put_state_file`](Self::put_state_file),
/// [`publish`](Self::publish), the commits, `mark_committed` (for an epoch with nothing to commit too), and
/// now and then [`collect_garbage`](Self::collect_garbage).
#[derive(Debug)]
pub struct JobState {
    pub(crate) store: Arc<dyn StateStore>,
    pub(crate) layout: Layout,
    pub(crate) run: RunRecord,
    fingerprint: String,
    /// The newest epoch whose number is used up.
    pub(crate) last_epoch: Epoch,
    /// The epoch that this run goes on from.
    parent: Option<Epoch>,
    pub(crate) taken_over: bool,
    /// Names of state files already put by this run; makes each path unique.
    pub(crate) files_put: AtomicU64,
    /// Whether clean-up has looked through all state files once.
    pub(crate) data_swept: bool,
    /// What the manifests that clean-up knows refer to.
    pub(crate) references: BTreeMap<Epoch, BTreeSet<String>>,
}

/// A published epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// Size of its manifest.
    pub bytes: u64,
}

impl JobState {
    pub(crate) fn new(
        store: Arc<dyn StateStore>,
        layout: Layout,
        run: RunRecord,
        fingerprint: &str,
        last_epoch: Epoch,
        parent: Option<Epoch>,
    ) -> Self {
        Self {
            store,
            layout,
            run,
            fingerprint: fingerprint.to_owned(),
            last_epoch,
            parent,
            taken_over: false,
            files_put: AtomicU64::new(0),
            data_swept: false,
            references: BTreeMap::new(),
        }
    }

    /// The generation of this run.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.run.generation
    }

    /// The newest epoch whose number is used up; the next one to publish is the one after it. Right after
    /// [`open`](Self::open) it is the epoch of a pending commit, if there is one.
    #[must_use]
    pub fn last_epoch(&self) -> Epoch {
        self.last_epoch
    }

    /// Goes on counting from `epoch`, if that is later: for a job that starts afresh over a sink that knows
    /// epochs of an earlier life. Only before [`take_over`](Self::take_over).
    pub fn advance_to(&mut self, epoch: Epoch) {
        self.last_epoch = self.last_epoch.max(epoch);
    }

    /// Publishes an empty epoch that carries the state this run begins with; what `body` has to commit is
    /// left out, for it is committed by now. Must be this run's first publication. Afterwards no older run
    /// can publish any more, so what they have prepared may be discarded.
    ///
    /// `None`: an older run was faster and has gone on meanwhile. Start over with [`open`](Self::open).
    ///
    /// # Errors
    /// Fenced if a younger run has the job.
    pub async fn take_over(&mut self, mut body: ManifestBody) -> Result<Option<Epoch>> {
        body.clear_commits();
        let epoch = self.last_epoch.next();
        let manifest = self.manifest(epoch, ManifestKind::Takeover, self.run.started_ms, body);
        let bytes = frame::encode(&manifest)?;
        let met = self.create_manifest(&manifest, bytes).await?;
        let beyond = self.look_beyond(met, epoch).await?;
        match decide::take_over(self.generation(), met, beyond) {
            Verdict::Ours => {
                self.is_published(epoch, &manifest);
                self.taken_over = true;
                Ok(Some(epoch))
            }
            Verdict::StartOver => Ok(None),
            Verdict::Fenced => Err(self.fenced().await),
            Verdict::Reopen => Err(reopen(epoch)),
        }
    }

    /// Publishes an epoch: this is the point at which it is decided. May be called again with the same
    /// arguments after a failure that can pass.
    ///
    /// # Errors
    /// Fenced if another run has taken the job over.
    pub async fn publish(
        &mut self,
        epoch: Epoch,
        kind: ManifestKind,
        started_ms: i64,
        body: ManifestBody,
    ) -> Result<Published> {
        if !self.taken_over || epoch <= self.last_epoch {
            return Err(Error::internal(
                error::codes::INTERNAL,
                "an epoch is published before the takeover or out of order",
            )
            .with("epoch", epoch));
        }
        let manifest = self.manifest(epoch, kind, started_ms, body);
        let bytes = frame::encode(&manifest)?;
        let published = Published { bytes: bytes.len() as u64 };
        let met = self.create_manifest(&manifest, bytes).await?;
        if met == Met::Ours {
            failpoint::hit(failpoint::MANIFEST_WRITTEN);
        }
        let beyond = self.look_beyond(met, epoch).await?;
        match decide::publish(met, beyond) {
            Verdict::Ours => {
                self.is_published(epoch, &manifest);
                Ok(published)
            }
            Verdict::Reopen => Err(reopen(epoch)),
            Verdict::Fenced | Verdict::StartOver => Err(self.fenced().await),
        }
    }

    /// Notes that every committer has returned for an epoch. Only then may sources be told of it.
    ///
    /// # Errors
    /// Fenced if a younger run has committed it meanwhile.
    pub async fn mark_committed(&mut self, epoch: Epoch) -> Result<()> {
        let marker = Marker {
            format: FORMAT,
            job: self.run.job.clone(),
            epoch,
            generation: self.generation(),
            run_uuid: self.run.uuid.clone(),
            committed_ms: now_ms(),
        };
        match self.store.create(&self.layout.marker(epoch), frame::encode(&marker)?).await? {
            Created::Now => Ok(()),
            Created::AlreadyThere(there) => {
                let by = frame::decode::<Marker>(&there).ok().map(|marker| marker.generation);
                if decide::may_go_on_after_marker(self.generation(), by) {
                    return Ok(());
                }
                Err(self.fenced().await)
            }
        }
    }

    /// Stores a file of an operator's state for an epoch that is going to be published. `name` is for
    /// people; it need not be unique.
    ///
    /// # Errors
    /// If the store cannot take it.
    pub async fn put_state_file(&self, epoch: Epoch, name: &str, bytes: Bytes) -> Result<FileRef> {
        let number = self.files_put.fetch_add(1, Ordering::Relaxed);
        let path = self.layout.data_file(self.generation(), epoch, &format!("{number:04}-{name}"))?;
        let file = FileRef { path, bytes: bytes.len() as u64, crc32c: crc32c::crc32c(&bytes) };
        self.store.put_file(&file.path, bytes).await?;
        Ok(file)
    }

    /// Reads a file of an operator's state.
    ///
    /// # Errors
    /// Names the file if it is missing, has another size or another checksum.
    pub async fn read_state_file(&self, file: &FileRef) -> Result<Bytes> {
        let damaged = |how: &str| {
            Error::user(codes::STATE_FILE_DAMAGED, format!("a state file {how}"))
                .with_hint("restore a savepoint (--restore NAME), or start with --fresh")
                .with("file", &file.path)
                .with("store", self.store.uri())
        };
        if self.layout.data_owner(&file.path).is_none() {
            return Err(damaged("lies outside of the job's folder"));
        }
        let Some(bytes) = self.store.get_at_most(&file.path, file.bytes).await? else {
            return Err(damaged("is missing"));
        };
        if bytes.len() as u64 != file.bytes {
            return Err(damaged("is cut off"));
        }
        if crc32c::crc32c(&bytes) != file.crc32c {
            return Err(damaged("does not match its checksum"));
        }
        Ok(bytes)
    }

    fn manifest(&self, epoch: Epoch, kind: ManifestKind, started_ms: i64, body: ManifestBody) -> Manifest {
        Manifest {
            format: FORMAT,
            job: self.run.job.clone(),
            generation: self.generation(),
            run_uuid: self.run.uuid.clone(),
            epoch,
            parent: self.parent,
            kind,
            started_ms,
            finished_ms: now_ms(),
            fingerprint: self.fingerprint.clone(),
            key_groups: KEY_GROUPS,
            body,
        }
    }

    fn is_published(&mut self, epoch: Epoch, manifest: &Manifest) {
        self.last_epoch = epoch;
        self.parent = Some(epoch);
        self.references.insert(epoch, manifest.body.files().map(|file| file.path.clone()).collect());
    }

    async fn create_manifest(&self, manifest: &Manifest, bytes: Bytes) -> Result<Met> {
        let path = self.layout.manifest(manifest.epoch);
        let Created::AlreadyThere(there) = self.store.create(&path, bytes).await? else {
            return Ok(Met::Ours);
        };
        let Ok(mut there) = frame::decode::<Manifest>(&there) else { return Ok(Met::Theirs(None)) };
        if there.run_uuid != self.run.uuid {
            return Ok(Met::Theirs(Some(there.generation)));
        }
        // A second try of one publication differs in its times only.
        there.started_ms = manifest.started_ms;
        there.finished_ms = manifest.finished_ms;
        Ok(if there == *manifest { Met::Ours } else { Met::OursOtherwise })
    }

    /// The look after a creation that [`decide`] asks for.
    async fn look_beyond(&self, met: Met, epoch: Epoch) -> Result<Beyond> {
        if matches!(met, Met::Theirs(_)) {
            return Ok(Beyond::Nothing);
        }
        let listing = Listing::read(&*self.store, &self.layout).await?;
        let Some(newest) = listing.newest().filter(|newest| *newest > epoch) else {
            return Ok(Beyond::Nothing);
        };
        let manifest = read_manifest(&*self.store, &self.layout, &self.run.job, newest).await?;
        Ok(Beyond::Later(manifest.and_then(|found| found.ok()).map(|manifest| manifest.generation)))
    }

    pub(crate) async fn fenced(&self) -> Error {
        let younger = view::newest_run(&*self.store, &self.layout)
            .await
            .ok()
            .flatten()
            .filter(|run| run.generation > self.generation());
        fenced_by(&self.run.job, younger.as_ref()).with("own generation", self.generation())
    }
}

/// The error of a run that another one has replaced.
pub(crate) fn fenced_by(job: &str, younger: Option<&RunRecord>) -> Error {
    let error = Error::fenced(codes::FENCED, format!("another process runs job `{job}` now"));
    match younger {
        Some(run) => {
            error.with("host", &run.host).with("pid", run.pid).with("its generation", run.generation)
        }
        None => error,
    }
}

fn reopen(epoch: Epoch) -> Error {
    Error::external(
        codes::OUTCOME_DIFFERS,
        "an earlier try to publish this epoch has succeeded after all, with other contents",
    )
    .with_hint("the job goes on from what was published")
    .with("epoch", epoch)
}
