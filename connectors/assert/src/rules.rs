//! The rules of a job: which table has which, and how many rows there may be.

use std::collections::{BTreeMap, BTreeSet};

use seatun_api::{Error, Result, TableId, TableSchema};

use crate::config::{CatalogTableRule, FieldRule, RowRule, RowRuleType, RulesConfig};
use crate::fields::FieldChecks;
use crate::{catalog, codes};

/// Rows by table's full name.
pub(crate) type Counts = BTreeMap<String, u64>;

/// The rules of a job.
pub(crate) struct Rules {
    config: RulesConfig,
}

impl Rules {
    /// Takes the rules.
    ///
    /// # Errors
    /// Refuses rules that say nothing, and two sets of rules for one table.
    pub fn new(config: RulesConfig) -> Result<Self> {
        let says_nothing = config.row_rules.is_empty()
            && config.field_rules.is_empty()
            && config.catalog_table_rule.is_none()
            && config.table_names.as_ref().is_none_or(Vec::is_empty)
            && config.tables_configs.is_empty();
        if says_nothing {
            return Err(Error::user(codes::INVALID_RULE, "there are no rules")
                .at_option("rules")
                .with_hint("for example row_rules = [{ rule_type = MIN_ROW, rule_value = 1 }]"));
        }
        let mut paths = BTreeSet::new();
        for (index, table) in config.tables_configs.iter().enumerate() {
            if !paths.insert(&table.table_path) {
                let text = format!("table {} has rules already", table.table_path);
                let option = format!("rules.tables_configs[{index}].table_path");
                return Err(Error::user(codes::INVALID_RULE, text).at_option(option));
            }
        }
        Ok(Self { config })
    }

    /// Whether a table is declared as it should be, and its rules fit its columns.
    pub fn accepts(&self, table: &TableSchema) -> Result<()> {
        if let Some(rule) = self.catalog_rule(&table.id) {
            catalog::check(rule, table)?;
        }
        self.field_checks(table).map(drop)
    }

    /// The field rules of a table, compiled.
    pub fn field_checks(&self, table: &TableSchema) -> Result<FieldChecks> {
        FieldChecks::new(self.field_rules(&table.id), table)
    }

    fn field_rules(&self, table: &TableId) -> &[FieldRule] {
        let path = table.to_string();
        let own = self.config.tables_configs.iter().find(|rules| rules.table_path == path);
        own.map_or(&self.config.field_rules, |rules| &rules.field_rules)
    }

    fn catalog_rule(&self, table: &TableId) -> Option<&CatalogTableRule> {
        let path = table.to_string();
        let own = self.config.tables_configs.iter().find(|rules| rules.table_path == path);
        own.map_or(self.config.catalog_table_rule.as_ref(), |rules| rules.catalog_table_rule.as_ref())
    }

    fn row_rules(&self, table: &str) -> &[RowRule] {
        let own = self.config.tables_configs.iter().find(|rules| rules.table_path == table);
        own.map_or(&self.config.row_rules, |rules| &rules.row_rules)
    }

    /// Whether a table has no more rows than it may have; more may come.
    pub fn check_most(&self, table: &str, rows: u64) -> Result<()> {
        self.check_count(table, rows, RowRuleType::MaxRow)
    }

    /// Whether the tables have the rows that they should, now that no more come. `declared` are tables that
    /// were announced, whether or not rows of them came.
    pub fn check_whole(&self, declared: &[String], counts: &Counts) -> Result<()> {
        let with_rules = self.config.tables_configs.iter().map(|rules| &rules.table_path);
        let tables: BTreeSet<&String> = declared.iter().chain(counts.keys()).chain(with_rules).collect();
        for table in &tables {
            let rows = counts.get(*table).copied().unwrap_or(0);
            self.check_count(table, rows, RowRuleType::MinRow)?;
            self.check_count(table, rows, RowRuleType::MaxRow)?;
        }
        self.check_names(counts)
    }

    fn check_count(&self, table: &str, rows: u64, kind: RowRuleType) -> Result<()> {
        for rule in self.row_rules(table).iter().filter(|rule| rule.rule_type == kind) {
            let (name, expected, broken) = match kind {
                RowRuleType::MinRow => ("MIN_ROW", "at least", rows < rule.rule_value),
                RowRuleType::MaxRow => ("MAX_ROW", "at most", rows > rule.rule_value),
            };
            if broken {
                let bound = rule.rule_value;
                let text = format!("rule {name}: table {table} has {rows} rows, expected {expected} {bound}");
                return Err(Error::user(codes::ROW_COUNT, text));
            }
        }
        Ok(())
    }

    fn check_names(&self, counts: &Counts) -> Result<()> {
        let Some(wanted) = &self.config.table_names else { return Ok(()) };
        let wanted: BTreeSet<&String> = wanted.iter().collect();
        let actual: BTreeSet<&String> =
            counts.iter().filter(|(_, rows)| **rows > 0).map(|(table, _)| table).collect();
        if wanted == actual {
            return Ok(());
        }
        let list = |tables: &BTreeSet<&String>| {
            let names: Vec<&str> = tables.iter().map(|table| table.as_str()).collect();
            if names.is_empty() { "none".to_owned() } else { names.join(", ") }
        };
        let text = format!("rule table-names: rows came of {}, expected {}", list(&actual), list(&wanted));
        Err(Error::user(codes::TABLE_NAMES, text))
    }
}
