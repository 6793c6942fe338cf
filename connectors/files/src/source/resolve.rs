//! A table with everything that only its files tell: Parquet columns and partitions.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef};
use seatun_api::{Error, Result, TableSchema};

use super::list;
use super::partition::{self, Partition};
use super::table::{Table, TablePlan};
use crate::codes;
use crate::config::FileFormat;
use crate::decode::parquet::ParquetFile;
use crate::store::StoredFile;

/// A table that is ready to be read.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// Its options and place.
    pub table: Table,
    /// All its columns.
    pub schema: Arc<TableSchema>,
    /// The columns that come from within the files; they stand first.
    pub columns: SchemaRef,
    /// The columns that come from the folders; they stand next.
    pub partitions: Vec<String>,
    /// All columns that the files have themselves, also those that are not read.
    own: SchemaRef,
    /// Whether a file may not have columns that the table lacks.
    pub strict: bool,
}

impl Resolved {
    /// The table as the options alone tell it; `None` if they do not.
    ///
    /// # Errors
    /// If the options contradict each other.
    pub fn declared(table: &Table) -> Result<Option<TableSchema>> {
        let plan = &table.plan;
        let Some(declared) = &plan.declared else { return Ok(None) };
        let Some(partitions) = plan.told_partitions(&table.location.path) else { return Ok(None) };
        let columns = Arc::new(Schema::new(plan.select(&declared.arrow)?));
        Ok(Some(whole_table(plan, &columns, declared, &names(&partitions))?.0))
    }

    /// Looks at the table's files as far as needed: not at all, at the names, or at the first footer.
    ///
    /// # Errors
    /// If the files cannot be listed or read, or there are none to tell the columns.
    pub async fn find(table: &Table) -> Result<Self> {
        let plan = &table.plan;
        let needs_file = plan.declared.is_none();
        let first = match needs_file || plan.partitions {
            true => list::list(&table.location, &plan.filter).await?.into_iter().next(),
            false => None,
        };
        let partitions = match (&first, plan.partitions) {
            (_, false) => Vec::new(),
            (Some(file), true) => partition::of_file(&file.path),
            (None, true) => plan
                .told_partitions(&table.location.path)
                .unwrap_or_else(|| partition::of_folder(list::literal_folder(&table.location.path))),
        };
        if plan.declared.is_some()
            && plan.told_partitions(&table.location.path).is_some_and(|told| told != partitions)
        {
            return Err(Error::user(codes::PARTITIONS, "the path is a folder with partitions")
                .with("path", table.location.display(&table.location.path))
                .with_hint("end the path with a slash, or set parse_partition_from_path = false")
                .at_option("path"));
        }
        let declared = match (&plan.declared, first) {
            (Some(declared), _) => declared.clone(),
            (None, Some(file)) => {
                let stored = StoredFile::new(&table.location, &file.path, file.size, file.tag)?;
                let schema = ParquetFile::open(Arc::new(stored)).await?.schema();
                TableSchema::new(plan.id.clone(), schema)
            }
            (None, None) => {
                return Err(Error::user(codes::NO_FILES, "there is no file to tell the table's columns")
                    .with("path", table.location.display(&table.location.path))
                    .with_hint("give the columns with `schema`")
                    .at_option("path"));
            }
        };
        let columns = Arc::new(Schema::new(plan.select(&declared.arrow)?));
        let (schema, partitions) = whole_table(plan, &columns, &declared, &names(&partitions))?;
        let strict =
            plan.format == FileFormat::Parquet && plan.declared.is_none() && plan.read_columns.is_empty();
        let own = declared.arrow;
        Ok(Self { table: table.clone(), schema: Arc::new(schema), columns, partitions, own, strict })
    }

    /// The values of the columns behind the file's own, for one file.
    ///
    /// # Errors
    /// If the file's folders lack a partition of the table, or have one that the table lacks.
    pub fn constants(&self, found: &[Partition], path: &str) -> Result<Vec<Option<String>>> {
        let unknown =
            |name: &String| !self.partitions.contains(name) && self.own.field_with_name(name).is_err();
        if self.table.plan.partitions
            && let Some((name, _)) = found.iter().find(|(name, _)| unknown(name))
        {
            return Err(Error::user(codes::PARTITIONS, format!("the file is below a folder `{name}=...`"))
                .with("path", path)
                .with_hint(
                    "the first file is not; set parse_partition_from_path = false to leave folders out",
                ));
        }
        let mut values = Vec::new();
        for name in &self.partitions {
            let value = found.iter().find(|(other, _)| other == name).ok_or_else(|| {
                Error::user(codes::PARTITIONS, format!("the file is not below a folder `{name}=...`"))
                    .with("path", path)
                    .with_hint(
                        "the first file is; set parse_partition_from_path = false to leave folders out",
                    )
            })?;
            values.push(value.1.clone());
        }
        if self.table.plan.metadata.file.is_some() {
            values.push(Some(path.to_owned()));
        }
        Ok(values)
    }
}

fn names(partitions: &[Partition]) -> Vec<String> {
    partitions.iter().map(|(name, _)| name.clone()).collect()
}

/// The file's columns, the partitions that are not among them, and the columns that tell a row's origin.
fn whole_table(
    plan: &TablePlan,
    columns: &SchemaRef,
    declared: &TableSchema,
    partitions: &[String],
) -> Result<(TableSchema, Vec<String>)> {
    let partitions: Vec<String> =
        partitions.iter().filter(|name| declared.arrow.field_with_name(name).is_err()).cloned().collect();
    let mut fields: Vec<Field> = columns.fields().iter().map(|field| field.as_ref().clone()).collect();
    let origin = plan.metadata.file.iter();
    for name in partitions.iter().chain(origin) {
        if fields.iter().any(|field| field.name() == name) {
            return Err(Error::user(
                seatun_api::error::codes::INVALID_OPTION,
                format!("there is already a column `{name}`"),
            )
            .at_option("metadata_columns.file"));
        }
        fields.push(Field::new(name, DataType::Utf8, true));
    }
    let schema = Schema::new_with_metadata(fields, declared.arrow.metadata().clone());
    Ok((declared.with_columns(Arc::new(schema)), partitions))
}
