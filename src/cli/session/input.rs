//! The user's input: the manifest, of one pair or of several, and the templates. Both are read and
//! checked without an AWS call.
//! Not for: the resources that exist (see `observe`).

use super::super::Global;
use crate::bounded;
use crate::failure::{Failure, Kind};
use crate::manifest::{self, Manifest, Origin, Pairs};
use crate::names::{Arn, PairName};
use crate::ops::Input;
use std::path::{Path, PathBuf};

/// The user's input, for one pair or for several.
pub(in crate::cli) enum Inputs {
    One(Box<Input>),
    Many(Several),
}

/// Several pairs of one manifest.
pub(in crate::cli) struct Several {
    pub(in crate::cli) name: Option<PairName>,
    pub(in crate::cli) inputs: Vec<Input>,
}

impl Inputs {
    /// Reads the manifest and the template folders, and renders every document of every pair once.
    pub(in crate::cli) fn read(global: &Global, in_sandbox: bool) -> Result<Self, Failure> {
        let (text, origin) = manifest_text(global, in_sandbox)?;
        let parsed =
            |only: &[String]| manifest::parse_pairs(&text, &origin, global.run.as_deref(), only);
        if global.pair_is_of_job
            && let Ok(one @ Pairs::One(_)) = parsed(&[])
        {
            return Self::of(one);
        }
        Self::of(parsed(&global.pair)?)
    }

    /// Reads the template folders, and renders every document of every pair once.
    fn of(pairs: Pairs) -> Result<Self, Failure> {
        Ok(match pairs {
            Pairs::One(manifest) => Self::One(Box::new(Input::of(*manifest)?)),
            Pairs::Many(fleet) => Self::Many(Several {
                name: fleet.name,
                inputs: fleet.pairs.into_iter().map(Input::of).collect::<Result<_, _>>()?,
            }),
        })
    }

    /// Returns the one pair.
    pub(in crate::cli) fn one(self) -> Result<Input, Failure> {
        match self {
            Self::One(input) => Ok(*input),
            Self::Many(several) => {
                let message =
                    format!("the manifest has {} pairs, and this takes one", several.inputs.len());
                Err(usage(&message).hint("name the pair that is meant with `--pair`"))
            }
        }
    }

    /// Returns the pair that is left of several.
    pub(in crate::cli) fn only(self) -> Result<Input, Failure> {
        match self {
            Self::Many(several) if several.inputs.len() == 1 => {
                several.inputs.into_iter().next().ok_or_else(|| Failure::bug("no pair is left"))
            }
            other => other.one(),
        }
    }

    /// Returns the manifests of all pairs.
    pub(in crate::cli) fn manifests(&self) -> Vec<&Manifest> {
        match self {
            Self::One(input) => vec![&input.manifest],
            Self::Many(several) => several.inputs.iter().map(|input| &input.manifest).collect(),
        }
    }
}

/// Reads the manifest of one pair, or the one pair of several that `--pair` names.
pub(in crate::cli) fn read_one(global: &Global, in_sandbox: bool) -> Result<Input, Failure> {
    Inputs::read(global, in_sandbox)?.one()
}

/// Like [`read_one`], for a separate pair beside the manifest's: its name ends in `suffix`, and all its resources are
/// named after it.
pub(in crate::cli) fn read_suffixed(
    global: &Global,
    in_sandbox: bool,
    suffix: &str,
    key: Option<&Arn>,
) -> Result<Input, Failure> {
    let (text, origin) = manifest_text(global, in_sandbox)?;
    let run = global.run.as_deref();
    Input::of(manifest::parse_suffixed(&text, &origin, run, suffix, key)?)
}

/// Reads the manifest of one pair, and the same for a separate pair (see [`read_suffixed`]), if there
/// can be one.
pub(in crate::cli) fn read_with_suffixed(
    global: &Global,
    in_sandbox: bool,
    suffix: &str,
) -> Result<(Input, Option<Input>), Failure> {
    let (text, origin) = manifest_text(global, in_sandbox)?;
    let run = global.run.as_deref();
    let pairs = manifest::parse_pairs(&text, &origin, run, &global.pair)?;
    let suffixed = manifest::parse_suffixed(&text, &origin, run, suffix, None);
    let suffixed = suffixed.ok().map(Input::of).transpose()?;
    Ok((Inputs::of(pairs)?.one()?, suffixed))
}

fn usage(message: &str) -> Failure {
    Failure::new(Kind::Manifest, "usage", message)
}

/// The longest manifest, in bytes. That of a thousand pairs has less than 1 MiB.
const LONGEST_MANIFEST: u64 = 16 << 20;

/// Finds the manifest: the file, the flags, `crrctl.yaml` or, in the sandbox, the demo pair.
fn manifest_text(global: &Global, in_sandbox: bool) -> Result<(String, Origin), Failure> {
    let has_flags =
        global.name.is_some() || global.source.is_some() || !global.destination.is_empty();
    let default = Path::new("crrctl.yaml");
    match &global.file {
        Some(_) if has_flags => Err(usage(
            "`--name`, `--source` and `--destination` stand in place of a manifest: leave out `--file`",
        )),
        Some(file) if file == "-" => {
            let text = bounded::text_of(std::io::stdin(), LONGEST_MANIFEST);
            Ok((text.map_err(|error| unreadable("<stdin>", &error))?, Origin::Stdin))
        }
        Some(file) => read(PathBuf::from(file)),
        None if has_flags => {
            let (Some(name), Some(source)) = (&global.name, &global.source) else {
                return Err(usage(
                    "without a manifest, `--name`, `--source` and `--destination` are all needed",
                ));
            };
            Ok((manifest::flags_text(name, source, &global.destination), Origin::Flags))
        }
        None if default.exists() => read(default.to_path_buf()),
        None if in_sandbox => {
            let text = manifest::flags_text("demo", &"us-east-1".into(), &["us-west-2".into()]);
            Ok((text, Origin::Demo))
        }
        None => Err(usage("there is no manifest: no `crrctl.yaml` here, and no flag names one")
            .hint("name one with `--file`, or give `--name`, `--source` and `--destination`")
            .hint("to try it without AWS: `crrctl apply --sandbox --yes`")),
    }
}

fn read(path: PathBuf) -> Result<(String, Origin), Failure> {
    let text = bounded::text(&path, LONGEST_MANIFEST)
        .map_err(|error| unreadable(&path.display().to_string(), &error))?;
    Ok((text, Origin::File(path)))
}

fn unreadable(origin: &str, error: &std::io::Error) -> Failure {
    manifest::ManifestError::Unreadable { origin: origin.to_owned(), reason: error.to_string() }
        .into()
}
