//! `include`: only files below the folder of the job file, whatever links and dots say.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use seatun_api::config::{Origin, Place};

use super::cursor::Skip;
use super::lexer::{self, Token};
use super::parser::Parser;
use super::tree::{Node, NodeKind, Object};
use super::{Dialect, MAX_DEPTH};
use crate::codes;
use crate::diagnostic::{Diagnostic, Sources};

/// More included files than this are taken for a circle or an attack.
const MAX_FILES: usize = 200;

/// Reads the job file's text and what it includes.
pub(super) struct Loader<'l> {
    /// The job file's folder without links, if files may be included.
    root: Option<PathBuf>,
    dialect: Dialect,
    sources: &'l mut Sources,
    /// The files being read, outermost first.
    open: Vec<PathBuf>,
    files: usize,
    /// Bytes of all texts.
    pub(super) bytes: usize,
    /// The job file's name, as the user gave it.
    job: Arc<str>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

struct Statement {
    name: String,
    required: bool,
    place: Place,
}

impl<'l> Loader<'l> {
    pub(super) fn new(folder: Option<&Path>, dialect: Dialect, sources: &'l mut Sources) -> Self {
        let root = folder.and_then(|folder| folder.canonicalize().ok());
        Self {
            root,
            dialect,
            sources,
            open: Vec::new(),
            files: 0,
            bytes: 0,
            job: Arc::from(""),
            diagnostics: Vec::new(),
        }
    }

    /// The tree of the job file; `None` if it has errors.
    pub(super) fn root(&mut self, file: &Arc<str>, text: &Arc<str>) -> Option<Node> {
        self.job = Arc::clone(file);
        let folder = self.root.clone();
        if let (Some(folder), Some(name)) = (&folder, Path::new(&**file).file_name()) {
            self.open.push(folder.join(name));
        }
        let node = self.parse(file, text, folder, Vec::new(), Some(Vec::new()), 0);
        (!self.diagnostics.iter().any(Diagnostic::is_error)).then_some(node)
    }

    fn parse(
        &mut self,
        file: &Arc<str>,
        text: &Arc<str>,
        folder: Option<PathBuf>,
        included_at: Vec<String>,
        above: Option<Vec<String>>,
        depth: usize,
    ) -> Node {
        self.sources.insert(Arc::clone(file), Arc::clone(text));
        self.bytes += text.len();
        let dialect = self.dialect;
        let mut parser = Parser {
            lexemes: lexer::lex(text, dialect),
            at: 0,
            file: Arc::clone(file),
            dialect,
            folder,
            loader: self,
            included_at,
            above,
            depth,
            stopped: false,
            errors: 0,
            last_error: None,
        };
        parser.root()
    }

    fn refuse(&mut self, code: seatun_api::Code, message: String, hint: &str, origin: &Origin) -> Skip {
        self.diagnostics.push(Diagnostic::error(code, message, origin).with_hint(hint));
        Skip
    }

    /// The file that an include names, without links, if it may be included. `Ok(None)` if there is none.
    fn locate(&mut self, folder: &Path, name: &str, origin: &Origin) -> Result<Option<PathBuf>, Skip> {
        const BELOW: &str = "only files below the folder of the job file can be included";
        let path = Path::new(name);
        if path.is_absolute() || path.components().any(|part| matches!(part, Component::Prefix(_))) {
            let message = format!("the included file `{name}` has an absolute path");
            return Err(self.refuse(codes::INCLUDE_REFUSED, message, BELOW, origin));
        }
        let Some(root) = self.root.clone() else { return Ok(None) };
        let Ok(found) = folder.join(path).canonicalize() else { return Ok(None) };
        if !found.starts_with(&root) {
            let message = format!("the included file `{name}` is outside the folder of the job file");
            return Err(self.refuse(codes::INCLUDE_REFUSED, message, BELOW, origin));
        }
        Ok(Some(found))
    }
}

impl Parser<'_, '_> {
    /// Whether an include statement is next: the bare word with something behind it that is no separator.
    pub(super) fn at_include(&self) -> bool {
        matches!(self.token(), Token::Unquoted(word) if word == "include")
    }

    /// An include statement; gives the fields of the included file.
    pub(super) fn include(&mut self) -> Result<Object, Skip> {
        let statement = self.statement()?;
        let origin = self.origin(statement.place);
        let Some(folder) = self.folder.clone() else { return Ok(Object::default()) };
        let candidates = match Path::new(&statement.name).extension() {
            Some(_) => vec![statement.name.clone()],
            None => vec![
                statement.name.clone(),
                format!("{}.conf", statement.name),
                format!("{}.json", statement.name),
            ],
        };
        for name in candidates {
            match self.loader.locate(&folder, &name, &origin)? {
                Some(path) if path.is_file() => return self.read(&path, &origin),
                _ => {}
            }
        }
        let message = format!("the included file `{}` does not exist", statement.name);
        if statement.required {
            return Err(self.loader.refuse(codes::INCLUDE_UNREADABLE, message, "", &origin));
        }
        let warning = Diagnostic::warning(codes::INCLUDE_UNREADABLE, message, &origin)
            .with_hint(format!("write `include required(\"{}\")` if the job needs it", statement.name));
        self.loader.diagnostics.push(warning);
        Ok(Object::default())
    }

    fn read(&mut self, path: &Path, origin: &Origin) -> Result<Object, Skip> {
        if self.loader.open.iter().any(|open| open == path) {
            let message = "this file includes itself, perhaps by way of others".to_owned();
            return Err(self.loader.refuse(codes::INCLUDE_REFUSED, message, "", origin));
        }
        self.loader.files += 1;
        if self.loader.files > MAX_FILES || self.depth >= MAX_DEPTH || self.loader.open.len() >= MAX_DEPTH {
            let message = format!("more than {MAX_FILES} included files, or too deep a nesting of them");
            return Err(self.loader.refuse(codes::TOO_BIG, message, "", origin));
        }
        let text = match std::fs::read(path).map(String::from_utf8) {
            Ok(Ok(text)) => text,
            Ok(Err(_)) => {
                let message = "the included file is not UTF-8".to_owned();
                return Err(self.loader.refuse(codes::NOT_UTF8, message, "", origin));
            }
            Err(error) => {
                let message = format!("the included file cannot be read: {error}");
                return Err(self.loader.refuse(codes::INCLUDE_UNREADABLE, message, "", origin));
            }
        };
        let file = self.shown_name(path);
        let above = self.above.clone();
        let included_at = above.clone().unwrap_or_default();
        self.loader.open.push(path.to_owned());
        let folder = path.parent().map(Path::to_owned);
        let text: Arc<str> = Arc::from(text);
        let node = self.loader.parse(&file, &text, folder, included_at, above, self.depth + 1);
        self.loader.open.pop();
        match node.kind {
            NodeKind::Object(object) => Ok(object),
            _ => {
                let message = "the included file is a list, not an object".to_owned();
                Err(self.loader.refuse(codes::INCLUDE_UNREADABLE, message, "", origin))
            }
        }
    }

    /// The included file as the user would name it: beside the job file's own name.
    fn shown_name(&self, path: &Path) -> Arc<str> {
        let below = self.loader.root.as_ref().and_then(|root| path.strip_prefix(root).ok()).unwrap_or(path);
        let job = Path::new(&*self.loader.job);
        let shown = job.parent().map_or_else(|| below.to_owned(), |folder| folder.join(below));
        Arc::from(shown.to_string_lossy())
    }

    /// Reads `include "f"`, `include file("f")`, `include required("f")`, `include required(file("f"))`.
    fn statement(&mut self) -> Result<Statement, Skip> {
        const HINT: &str = "write `include \"file.conf\"`, or `include required(\"file.conf\")`";
        self.bump();
        self.skip_blank();
        let start = self.place();
        let mut head = String::new();
        while let Token::Unquoted(text) = self.token() {
            head.push_str(text);
            self.bump();
            self.skip_space();
        }
        if head.contains("url(") || head.contains("classpath(") || head.contains("package(") {
            let message = "only files can be included, no URLs and no class path".to_owned();
            let origin = self.origin(start);
            return Err(self.loader.refuse(codes::INCLUDE_REFUSED, message, HINT, &origin));
        }
        let Token::Quoted(name) = self.token() else {
            let message = "`include` needs a quoted file name".to_owned();
            return Err(self.error(start, message, HINT));
        };
        let statement =
            Statement { name: name.clone(), required: head.starts_with("required("), place: self.place() };
        let known = matches!(head.as_str(), "" | "file(" | "required(" | "required(file(");
        self.bump();
        let mut tail = String::new();
        if !head.is_empty() {
            self.skip_space();
            while let Token::Unquoted(text) = self.token() {
                tail.push_str(text);
                self.bump();
                self.skip_space();
            }
        }
        if !known || tail != ")".repeat(head.matches('(').count()) {
            return Err(self.error(start, "this is no include statement".into(), HINT));
        }
        Ok(statement)
    }
}
