//! Save modes: what is done with the target's folders before the first row of a job.

use std::collections::BTreeSet;
use std::sync::Arc;

use seatun_api::{Error, Result, SinkContext};

use super::layout::folder_of;
use super::name::Owner;
use super::options::{DataSaveMode, SchemaSaveMode};
use super::plan::FileSinkPlan;
use super::target::Target;
use crate::codes;

/// Applies the save modes. Everything is checked before anything is removed.
pub(crate) async fn apply(plan: &FileSinkPlan, target: &dyn Target, context: &SinkContext) -> Result<()> {
    let mut folders: BTreeSet<String> = context.tables.iter().map(|table| folder_of(plan, table)).collect();
    if folders.is_empty() && plan.folder.segments().is_empty() {
        folders.insert(String::new());
    }
    for folder in &folders {
        check(plan, target, folder).await?;
    }
    let empties = plan.schema_save_mode == SchemaSaveMode::RecreateSchema
        || plan.data_save_mode == DataSaveMode::DropData;
    for folder in &folders {
        if empties {
            target.clear(folder).await?;
        }
        if plan.schema_save_mode != SchemaSaveMode::Ignore {
            target.make_folder(folder).await?;
        }
    }
    // This is the job's first start: what an earlier life of it left in progress is nobody's.
    let owner = Owner::new(&context.job, &context.node);
    let leftovers = target.find(Arc::new(move |name| owner.generation_of(name).is_some())).await?;
    target.remove(leftovers).await
}

async fn check(plan: &FileSinkPlan, target: &dyn Target, folder: &str) -> Result<()> {
    let must_exist = plan.schema_save_mode == SchemaSaveMode::ErrorWhenSchemaNotExist;
    if must_exist && !target.has_folder(folder).await? {
        return Err(Error::user(codes::FOLDER_MISSING, "the folder to write to does not exist")
            .with("path", target.shown(folder))
            .with_hint("make it, or set schema_save_mode = CREATE_SCHEMA_WHEN_NOT_EXIST")
            .at_option("schema_save_mode"));
    }
    let must_be_empty = plan.data_save_mode == DataSaveMode::ErrorWhenDataExists;
    if must_be_empty && target.has_data(folder).await? {
        return Err(Error::user(codes::DATA_EXISTS, "the folder to write to already has files")
            .with("path", target.shown(folder))
            .with_hint("use another folder, or set data_save_mode = APPEND_DATA or DROP_DATA")
            .at_option("data_save_mode"));
    }
    Ok(())
}
