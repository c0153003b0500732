//! The file of a recording. It is opened before anything is built; each line is one write, so that
//! the lines before a kill stay readable. A file that can't be written ends the recording, not the
//! run. It is locked until the run has ended: lines of two runs in one file could not be told apart.
//! Not for: what a line holds (see `line`).

use super::line::{Header, Line, SCHEMA};
use super::{Exchange, Names, StandIns};
use jiff::Timestamp;
use serde_json::Value;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Records a run. Its clones write to the same file.
#[derive(Debug, Clone)]
pub struct Recorder(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    file: Mutex<File>,
    stand_ins: StandIns,
    callers: AtomicU32,
    /// Why the recording ends before the run.
    unwritten: OnceLock<String>,
    path: String,
}

impl PartialEq for Recorder {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Recorder {}

impl Recorder {
    /// Opens `path` for a run of `command`, with mode 0600. A recording that is there gets the run
    /// appended; a file that holds anything else is left alone.
    ///
    /// # Errors
    /// The file can't be written, holds something else, or another run is writing to it.
    pub fn open(path: &Path, command: &str, names: Names) -> Result<Self, String> {
        let shown = path.display().to_string();
        let unwritable = |error: std::io::Error| format!("can't write {shown}: {error}");
        let opened = OpenOptions::new().create(true).append(true).read(true).mode(0o600).open(path);
        let mut file = match opened {
            // What can't be read, such as a pipe, has nothing to keep.
            Err(_) => OpenOptions::new().append(true).open(path).map_err(unwritable)?,
            Ok(file) => file,
        };
        let is_file = file.metadata().map_err(unwritable)?.is_file();
        if is_file {
            if let Err(TryLockError::WouldBlock) = file.try_lock() {
                return Err(in_use(&shown, path));
            }
            if !continues(&mut file).map_err(unwritable)? {
                return Err(format!(
                    "{shown} is not a recording, and crrctl did not change it: give `--record` another file"
                ));
            }
            file.set_permissions(std::fs::Permissions::from_mode(0o600)).map_err(unwritable)?;
        }
        let recorder = Self(Arc::new(Inner {
            file: Mutex::new(file),
            stand_ins: StandIns::new(names),
            callers: AtomicU32::new(0),
            unwritten: OnceLock::new(),
            path: shown,
        }));
        recorder.write(&Line::Header(Header {
            schema: SCHEMA.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            command: command.to_owned(),
            names,
            at: Timestamp::now(),
        }));
        Ok(recorder)
    }

    /// Returns a number for one set of credentials.
    pub fn caller(&self) -> u32 {
        self.0.callers.fetch_add(1, Ordering::Relaxed)
    }

    /// Writes an exchange, with stand-ins.
    pub fn exchange(&self, mut exchange: Exchange) {
        let stand_ins = &self.0.stand_ins;
        stand_ins.members(exchange.service, &mut exchange.request);
        stand_ins.members(exchange.service, &mut exchange.answer);
        for text in [&mut exchange.code, &mut exchange.message].into_iter().flatten() {
            *text = stand_ins.text(text);
        }
        self.write(&Line::Exchange(Box::new(exchange)));
    }

    /// Writes an event, with stand-ins.
    pub fn event(&self, mut event: Value) {
        self.0.stand_ins.event(&mut event);
        self.write(&Line::Event { event });
    }

    /// Returns why the recording ends before the run, if it does.
    pub fn unwritten(&self) -> Option<&str> {
        self.0.unwritten.get().map(String::as_str)
    }

    fn write(&self, line: &Line) {
        let Ok(mut text) = serde_json::to_vec(line) else { return };
        text.push(b'\n');
        let mut file = self.0.file.lock().unwrap_or_else(PoisonError::into_inner);
        if self.0.unwritten.get().is_some() {
            return;
        }
        let before = file.metadata().map(|it| it.len()).ok();
        if let Err(error) = file.write_all(&text) {
            // Half a line would hide that the recording ends here.
            let _ = before.map(|length| file.set_len(length));
            let why = format!("can't write {}: {error}: the recording ends early", self.0.path);
            let _ = self.0.unwritten.set(why);
        }
    }
}

/// Says that another run is writing to the recording, and which.
fn in_use(shown: &str, path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let header = text.lines().rev().find_map(|line| match serde_json::from_str(line) {
        Ok(Line::Header(header)) => Some(header),
        _ => None,
    });
    let run = header.map_or_else(
        || "another run of crrctl".to_owned(),
        |it| format!("`crrctl {}`, which began at {},", it.command, it.at.strftime("%FT%TZ")),
    );
    format!(
        "{run} is writing to {shown}: give `--record` a file of its own for each run that goes on at the same time, or wait until that run has ended"
    )
}

/// Returns whether a run can be appended: the file is empty, or a recording. A last line that was cut
/// off is ended first.
fn continues(file: &mut File) -> std::io::Result<bool> {
    /// No header is as long.
    const LONGEST: u64 = 4_096;
    let length = file.metadata()?.len();
    if length == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::Start(0))?;
    let mut first = String::new();
    match BufReader::new((&*file).take(LONGEST)).read_line(&mut first) {
        // No recording is other than UTF-8.
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => return Ok(false),
        read => read?,
    };
    if !matches!(serde_json::from_str(&first), Ok(Line::Header(_))) {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::Start(length - 1))?;
    file.read_exact(&mut last)?;
    if last != *b"\n" {
        file.write_all(b"\n")?;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &Path) -> Vec<Line> {
        let text = std::fs::read_to_string(path).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_recording_is_continued_and_nothing_else_is_touched() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.ndjson");
        let recorder = Recorder::open(&path, "plan", Names::Replaced).unwrap();
        recorder.event(serde_json::json!({"event": "run.start", "pair": "acme"}));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(lines(&path).len(), 2);
        let why = Recorder::open(&path, "probe", Names::Replaced).unwrap_err();
        assert!(
            why.starts_with("`crrctl plan`, which began at ") && why.contains("r.ndjson"),
            "{why}"
        );
        assert_eq!(lines(&path).len(), 2);
        drop(recorder);
        // A run that was killed in the middle of a line.
        std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"rec").unwrap();
        let _ = Recorder::open(&path, "apply", Names::Replaced).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 4, "{text}");
        assert!(
            matches!(serde_json::from_str(text.lines().last().unwrap()), Ok(Line::Header(it)) if it.command == "apply")
        );

        let mine = folder.path().join("mine");
        std::fs::write(&mine, "mine").unwrap();
        std::fs::set_permissions(&mine, std::fs::Permissions::from_mode(0o755)).unwrap();
        let why = Recorder::open(&mine, "plan", Names::Replaced).unwrap_err();
        assert!(why.contains("is not a recording"), "{why}");
        assert_eq!(std::fs::read_to_string(&mine).unwrap(), "mine");
        assert_eq!(std::fs::metadata(&mine).unwrap().permissions().mode() & 0o777, 0o755);
        let why =
            Recorder::open(&folder.path().join("no/such"), "plan", Names::Replaced).unwrap_err();
        assert!(why.contains("can't write"), "{why}");
    }

    #[test]
    fn a_full_disk_ends_the_recording_and_is_told_once() {
        let recorder = Recorder::open(Path::new("/dev/full"), "plan", Names::Replaced).unwrap();
        recorder.event(serde_json::json!({"event": "run.start"}));
        let why = recorder.unwritten().unwrap();
        assert!(why.contains("/dev/full") && why.contains("No space left"), "{why}");
    }
}
